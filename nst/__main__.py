"""`python -m nst`: the command line."""

import sys

if __name__ == "__main__":
    try:
        from nst.cli import main

        sys.exit(main())
    except KeyboardInterrupt:  # while all of that is imported
        sys.exit(130)
