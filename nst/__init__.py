"""Neural style transfer by optimisation: Gatys, Ecker and Bethge's method, coarse to fine.

from nst import Settings, stylize

for frame in stylize("photo.jpg", "painting.jpg", Settings(style_weight=7)):
    print(frame.iteration, frame.total, frame.losses)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nst.clips.clip import ClipFrame, stylize_clip
    from nst.clips.reading import open_clip
    from nst.clips.writing import write_clip
    from nst.errors import InputError
    from nst.image.picture_files import encode_png, load_image
    from nst.optimization.frames import Frame
    from nst.painting import stylize
    from nst.settings import Settings

__all__ = [
    "ClipFrame",
    "Frame",
    "InputError",
    "Settings",
    "encode_png",
    "load_image",
    "open_clip",
    "stylize",
    "stylize_clip",
    "write_clip",
]
__version__ = "0.1.0"

_HOMES = {
    "ClipFrame": "nst.clips.clip",
    "Frame": "nst.optimization.frames",
    "InputError": "nst.errors",
    "Settings": "nst.settings",
    "encode_png": "nst.image.picture_files",
    "load_image": "nst.image.picture_files",
    "open_clip": "nst.clips.reading",
    "stylize": "nst.painting",
    "stylize_clip": "nst.clips.clip",
    "write_clip": "nst.clips.writing",
}


def __getattr__(name: str) -> Any:
    # At first use: a process that only decodes pictures has no need of torch, which is most of the start.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
