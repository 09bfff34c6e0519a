"""The folder of one run."""

from __future__ import annotations

from pathlib import Path

from nst.ui.runs.folder import MOST_FRAMES
from nst.ui.runs.storage import Files


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
