"""The app as on ZeroGPU, with the real `spaces` package, but with a CPU in place of the GPU.

python zero_app.py --port PORT
"""

import sys
from importlib import import_module
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    import_module("nst.page")  # before Gradio, which `spaces` imports: no stubs for editors

    import spaces.zero.torch
    import torch

    # In the process that is lent a GPU these would look for it.
    spaces.zero.torch.init = lambda uuid: None
    spaces.zero.torch.move = lambda callback=None: None
    torch.cuda.is_available = lambda: False

    from nst.page import server

    sys.exit(server.main())
