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

    def shown(changes: list[float]) -> list[int]:
        folder = Files().new_run("")
        for iteration, change in enumerate(changes):
            folder.add_frame(b"x", iteration, (64, 64), change)
        return [kept.iteration for kept in folder.shown()]

    # Half of all that happens, in the last four.
    many = shown([*(number * 0.1 for number in range(36)), 4.0, 5.0, 6.0, 7.0])
    assert len(many) == 12
    assert many == sorted(set(many))
    assert (many[0], many[-4:]) == (0, [36, 37, 38, 39])
    assert shown([0.0] * 7) == list(range(7))
    assert len(shown([0.0] * 30)) == 12  # though nothing has changed at all
