"""Neural style transfer in the browser: `python app.py`, then open the address it prints."""

import sys

from nst.threads import prepare

if __name__ == "__main__":
    prepare()  # before torch is imported, which happens next
    from nst.ui.server import main

    sys.exit(main())
