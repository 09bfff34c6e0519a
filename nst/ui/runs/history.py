"""A run's kept frames, as a visitor goes back to them."""

from __future__ import annotations

from dataclasses import dataclass

from nst.image.timelapse import thinned
from nst.ui.runs.folder import Kept
from nst.ui.runs.stream import Update

# As many as stand in a row under the canvas.
_SHOWN = 12


@dataclass(frozen=True)
class History:
    """The frames of the last run, the finished picture last, and which of them Continue goes on from."""

    frames: tuple[Kept, ...] = ()
    chosen: Kept | None = None
    before: str = ""  # path of the photo at the finished size

    @classmethod
    def of(cls, update: Update) -> History:
        """Return the history that ends with a run's final update."""
        frame = update.frame
        final = Kept(update.picture, frame.iteration, (frame.width, frame.height))
        return cls((*update.kept, final), final, update.before)

    def shown(self) -> list[Kept]:
        """Return the frames of the strip."""
        return thinned(self.frames, _SHOWN)

    def strip(self) -> list[tuple[str, str]]:
        """Return path and name of the frames of the strip."""
        return [(kept.path, kept.name) for kept in self.shown()]
