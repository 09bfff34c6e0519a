"""One line of log for each run: what it was and how it ended, never whose or of what."""

from __future__ import annotations

import json
import logging
import time

from nst.optimization.frames import Frame
from nst.settings import KNOBS, Settings

log = logging.getLogger("nst.runs")


class Entry:
    """The log line of one run, written when the run ends."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.began = time.monotonic()
        self.frame: Frame | None = None

    def end(self, outcome: str, error: str = "") -> None:
        """Write the line.

        Args:
            outcome: "finished", "stopped", "refused", "failed" or "left" (the visitor has gone).
        """
        fields = {"outcome": outcome, "seconds": round(time.monotonic() - self.began, 2)}
        if error:
            fields["error"] = error
        if frame := self.frame:
            fields |= {
                "size": f"{frame.width}x{frame.height}",
                "iterations": frame.iteration,
                "painting": round(frame.seconds, 2),
                "optimising": round(frame.optimising, 2),
                "painter": f"{frame.encoder} on {frame.device}",
            }
        fields["settings"] = {
            name: value for name, value in self.settings.public().items() if value != KNOBS[name].default
        }
        log.info("%s", json.dumps(fields))
