"""Neural style transfer in the browser: `python app.py`, then open the address it prints."""

import sys

from nst.ui.server import main

if __name__ == "__main__":
    sys.exit(main())
