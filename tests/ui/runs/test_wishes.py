"""What a visitor wants of a run, the log's line of it, and its frames to go back to."""

from __future__ import annotations

import json
import logging
from types import SimpleNamespace

from nst import Settings
from nst.ui.runs.folder import Kept
from nst.ui.runs.history import History
from nst.ui.runs.log import Entry
from nst.ui.runs.stream import Update
from nst.ui.runs.wishes import Wishes


def test_each_session_stops_and_steers_its_own_run():
    runs = Wishes()
    mine, yours = runs.begin("me"), runs.begin("you")
    runs.stop("me")
    assert mine.stop.is_set()
    assert not yours.stop.is_set()
    assert runs.steer("you", Settings(style_weight=7))
    assert yours.settings.style_weight == 7
    assert mine.settings is None


def test_what_has_ended_can_neither_be_stopped_nor_steered():
    runs = Wishes()
    wish = runs.begin("me")
    runs.end("me")
    runs.stop("me")
    assert not wish.stop.is_set()
    assert not runs.steer("me", Settings())
    runs.end("me")  # twice is no fault


def test_a_run_is_one_line_of_what_differs(caplog):
    with caplog.at_level(logging.INFO, "nst.runs"):
        entry = Entry(Settings(style_weight=7))
        entry.end("failed", "abc123")
    told = json.loads(caplog.records[0].getMessage())
    assert told["outcome"] == "failed"
    assert told["error"] == "abc123"
    assert told["settings"] == {"style_weight": 7}
    assert "size" not in told  # nothing was painted


def kept(number: int) -> Kept:
    return Kept(f"/{number}.jpg", number, (64, 48))


def test_a_history_ends_with_the_finished_picture_and_shows_a_dozen():
    frame = SimpleNamespace(iteration=100, width=128, height=96)
    update = Update(frame, "/painting.png", "/photo.jpg", tuple(kept(number) for number in range(1, 60)))
    history = History.of(update)
    assert history.frames[-1] == Kept("/painting.png", 100, (128, 96))
    assert history.chosen == history.frames[-1]
    assert history.before == "/photo.jpg"
    shown = history.shown()
    assert len(shown) <= 12
    assert shown[0] == history.frames[0]
    assert shown[-1] == history.frames[-1]
    assert kept(1).name == "Step 1, 64 px"


def test_an_empty_history_shows_nothing():
    assert list(History().shown()) == []
