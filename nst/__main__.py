"""`python -m nst`: the command line."""

import sys
from collections.abc import Callable

from nst.host.starting import start
from nst.host.threads import prepare


def main() -> int:
    """Run the command line; return the exit code."""
    prepare()

    def program() -> Callable[[], int]:
        from nst.cli import main

        return main

    return start(program)


if __name__ == "__main__":
    sys.exit(main())
