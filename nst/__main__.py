"""`python -m nst`: the command line."""

import sys

from nst.threads import prepare

if __name__ == "__main__":
    prepare()  # before torch is imported, which happens next
    from nst.cli import main

    sys.exit(main())
