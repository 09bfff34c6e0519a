"""`python -m nst`: the command line."""

import sys

from nst.host.threads import prepare


def main() -> int:
    """Run the command line; return the exit code."""
    prepare()
    try:
        from nst.cli import main as run

        return run()
    except KeyboardInterrupt:  # while all of that is imported
        return 130


if __name__ == "__main__":
    sys.exit(main())
