"""`python -m nst`: the command line."""

import sys

from nst.host.threads import prepare


def main() -> int:
    """Run the command line; return the exit code."""
    prepare()
    try:
        from nst.cli import main as run
    except KeyboardInterrupt:
        return 130
    return run()


if __name__ == "__main__":
    sys.exit(main())
