"""The folder of one run."""

from __future__ import annotations

from pathlib import Path

from nst.runs.storage import MOST_FRAMES, Files


def test_of_a_long_run_ever_fewer_frames_are_kept():
    folder = Files().new_run("")
    for iteration in range(1, 1000):
        newest = folder.add_frame(b"x", iteration, (64, 64))
        assert Path(newest).exists()
    files = list(folder.path.iterdir())
    assert {str(path) for path in files} == {kept.path for kept in folder.frames}
    assert MOST_FRAMES / 2 <= len(files) <= MOST_FRAMES
    iterations = [kept.iteration for kept in folder.frames]
    assert iterations[0] == 1
    assert iterations[-8:] == list(range(992, 1000))
    assert iterations == sorted(iterations)


def test_the_row_shows_what_differs():
    """Where little changes, few of many frames; both ends always; all where there are few."""
    folder = Files().new_run("")
    for iteration in range(40):  # half of all that happens, in the last four
        folder.add_frame(
            b"x", iteration, (64, 64), change=iteration * 0.1 if iteration < 36 else iteration - 32.0
        )
    shown = [kept.iteration for kept in folder.shown()]
    assert len(shown) == 12
    assert shown == sorted(set(shown))
    assert (shown[0], shown[-4:]) == (0, [36, 37, 38, 39])
    few = Files().new_run("")
    for iteration in range(7):
        few.add_frame(b"x", iteration, (64, 64))
    assert [kept.iteration for kept in few.shown()] == list(range(7))
    # Nothing has changed at all: still as many.
    for iteration in range(7, 30):
        few.add_frame(b"x", iteration, (64, 64))
    assert len(few.shown()) == 12
