"""Neural style transfer by optimisation: Gatys, Ecker and Bethge's method, coarse to fine.

from nst import Settings, stylize

for frame in stylize("photo.jpg", "painting.jpg", Settings(style_weight=7)):
    print(frame.iteration, frame.total, frame.losses)
"""

from nst.errors import InputError
from nst.frames import Frame
from nst.images import encode_png, load_image
from nst.painting import stylize
from nst.settings import Settings

__all__ = ["Frame", "InputError", "Settings", "encode_png", "load_image", "stylize"]
__version__ = "0.1.0"
