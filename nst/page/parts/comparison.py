"""The photo and the finished painting, one over the other."""

from __future__ import annotations

from pathlib import Path

from nst.page.components import BeforeAfter
from nst.page.gallery import finished, photos
from nst.page.parts import Values
from nst.runs.run import Run


class Comparison:
    """A slider between before and after."""

    def __init__(self) -> None:
        example = finished()
        before = (str(photos()[0].path), str(example)) if example else None
        self.slider = BeforeAfter(before, elem_id="compare")

    def untouched(self, photo: str | None, painted: Path | None) -> Values:
        """Return what shows a photo and what it becomes, or nothing where that is not there yet."""
        return {self.slider: (photo, str(painted)) if painted else None}

    def showing(self, run: Run | None) -> Values:
        """Return what shows a finished run."""
        if run is None or run.folder.finished is None:
            return {}
        return {self.slider: (run.folder.before, run.folder.finished.path)}
