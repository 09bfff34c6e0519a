"""One line of log for each run: what it was and how it ended, never whose or of what."""

from __future__ import annotations

import json
import logging
import time

from nst.optimization.frames import Frame
from nst.settings import KNOBS, Settings

log = logging.getLogger("nst.runs")


def log_run(settings: Settings, began: float, frame: Frame | None, outcome: str, error: str = "") -> None:
    """Write the line of a run that has ended.

    Args:
        began: by the clock.
        frame: the last one that was painted.
        outcome: "finished", "stopped", "refused", "failed" or "left" (the visitor has gone).
        error: the number of what nobody foresaw.
    """
    fields: dict[str, object] = {"outcome": outcome, "seconds": round(time.time() - began, 2)}
    if error:
        fields["error"] = error
    if frame:
        fields |= {
            "size": f"{frame.width}x{frame.height}",
            "iterations": frame.iteration,
            "painting": round(frame.seconds, 2),
            "optimising": round(frame.optimising, 2),
            "painter": f"{frame.encoder} on {frame.device}",
        }
    fields["settings"] = {
        name: value for name, value in settings.public().items() if value != KNOBS[name].default
    }
    log.info("%s", json.dumps(fields))
