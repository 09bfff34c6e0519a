"""Neural style transfer by optimisation: Gatys, Ecker and Bethge's method, coarse to fine.

from nst import Settings, stylize

for frame in stylize("photo.jpg", "painting.jpg", Settings(style_weight=7)):
    print(frame.iteration, frame.total, frame.losses)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nst.errors import InputError
    from nst.image.picture_files import encode_png, load_image
    from nst.optimization.frames import Frame
    from nst.painting import stylize
    from nst.settings import Settings

__all__ = ["Frame", "InputError", "Settings", "encode_png", "load_image", "stylize"]
__version__ = "0.1.0"

_HOMES = {
    "Frame": "nst.optimization.frames",
    "InputError": "nst.errors",
    "Settings": "nst.settings",
    "encode_png": "nst.image.picture_files",
    "load_image": "nst.image.picture_files",
    "stylize": "nst.painting",
}


def __getattr__(name: str) -> Any:
    # At first use: a process that only decodes pictures has no need of torch, which is most of the start.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
