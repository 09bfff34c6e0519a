"""Neural style transfer in the browser: `python app.py`, then open the address it prints."""

import sys

if __name__ == "__main__":  # the processes that read pictures import this file too, and need none of it
    from nst.page import main

    sys.exit(main())
