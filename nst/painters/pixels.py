"""Decoded pictures on their way to a painter; without Gradio, which painters elsewhere do not need."""

from typing import TypeGuard

import numpy as np
from PIL import Image

from nst.image.tensors import to_tensor
from nst.inputs import Role
from nst.painting import Picture

# (H, W, 3) uint8 or floats in [0, 1], with alpha (H, W, 4); as the photo also a clip, (N, H, W, 3) uint8.
Pixels = np.ndarray | Image.Image


def is_clip(picture: Pixels) -> TypeGuard[np.ndarray]:
    return isinstance(picture, np.ndarray) and picture.ndim == 4


def as_given(role: Role, picture: Pixels) -> Picture:
    """Return decoded pixels as `nst.painting.paint` takes them."""
    # What was drawn is a picture of one channel, which is for the core to read.
    return to_tensor(picture) if isinstance(picture, np.ndarray) else picture
