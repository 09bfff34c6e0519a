"""The app as on ZeroGPU, with the real `spaces` package, but with a CPU in place of the GPU.

python zero_app.py --port PORT
"""

import sys
from pathlib import Path

import spaces.zero.torch
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

# In the process that is lent a GPU these would look for it.
spaces.zero.torch.init = lambda uuid: None
spaces.zero.torch.move = lambda callback=None: None
torch.cuda.is_available = lambda: False

from nst.ui import server  # noqa: E402

if __name__ == "__main__":
    sys.exit(server.main())
