"""A run as it is written down, so that its visitor finds it after this process has been killed."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from nst.errors import InputError
from nst.inputs import Inputs
from nst.runs.run import Run
from nst.runs.storage import RunFolder, SavedFrame, Upload
from nst.settings import Settings

# Names that nothing is served by (nst/runs/storage.py).
_RECORD = ".run.json"
_DRAWINGS = {"photo": ".drawing.png", "style": ".style-drawing.png"}
_INTERRUPTED = "The server restarted."
_NOT_BEGUN = "The server restarted before it began. Press Paint to start again."


def write(run: Run) -> None:
    """Write a run down, unless it was deleted; raise OSError if there is no room, or its folder is gone."""
    if run.removal:
        return
    folder = run.folder
    for over, drawing in run.drawings.items():
        if not (folder.path / _DRAWINGS[over]).exists():
            folder.write(_DRAWINGS[over], drawing)
    entry = {
        "id": run.id,
        "owner": run.owner,
        "began": run.began,
        "state": run.state,
        "said": run.message,
        "settings": run.settings.public(),
        "photo": _name(run.pictures.photo),
        "styles": [_name(style) for style in run.pictures.styles],
        "start": _name(run.pictures.start),
        "frames": [_entry(kept) for kept in folder.frames],
        "finished": _entry(folder.finished) if folder.finished else None,
        "before": Path(folder.before).name,
    }
    folder.write(_RECORD, json.dumps(entry).encode())


def forget(run: Run) -> None:
    """Leave a host that comes after this one nothing of a run."""
    (run.folder.path / _RECORD).unlink(missing_ok=True)


def read(folder: RunFolder) -> Run:
    """Return the run of a folder that another process has left; raise InputError if nobody can ask for it."""
    try:
        entry = json.loads((folder.path / _RECORD).read_text())
        frames = [_kept(folder.path, saved) for saved in entry["frames"]]
        folder.frames = [kept for kept in frames if Path(kept.path).exists()]
        folder.finished = _kept(folder.path, entry["finished"]) if entry["finished"] else None
        if folder.finished and folder.finished.of_clip:
            folder.film = str(Path(folder.finished.path).with_suffix(".mp4")), folder.finished.path
        folder.before = str(folder.path / Path(str(entry.get("before", "photo.jpg"))).name)
        root = folder.path.parent  # where the folders of uploads lie, too
        pictures: Any = Inputs(
            _sent(root, entry["photo"]),
            tuple(_sent(root, name) for name in entry["styles"]),
            start=_sent(root, entry["start"]),
        )
        files = {over: folder.path / name for over, name in _DRAWINGS.items()}
        drawings = {over: file.read_bytes() for over, file in files.items() if file.exists()}
        settings = Settings.from_dict(entry["settings"])
        run = Run(str(entry["owner"]), "", pictures, settings, folder, drawings)
        run.id, run.began, run.state, run.message = entry["id"], entry["began"], entry["state"], entry["said"]
        if not (run.owner and isinstance(run.id, str) and 0 <= time.time() - run.began < 1e9):
            raise InputError("Nobody can ask for this run.")
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise InputError("This run was not written down.") from error
    if run.under_way:
        run.finish("interrupted", _INTERRUPTED if folder.frames else _NOT_BEGUN)
    return run


def _name(picture: Any) -> str | None:
    """Return what names a file in the folder that it came to, whichever process's that will be."""
    return "/".join(picture.path.parts[-2:]) if isinstance(picture, Upload) else None


def _sent(root: Path, name: str | None) -> Upload | None:
    if name is None:
        return None
    folder, file = name.split("/")
    return Upload(root / folder / file)


def _entry(kept: SavedFrame) -> list[Any]:
    return [Path(kept.path).name, kept.iteration, *kept.size, kept.change, kept.of_clip]


def _kept(folder: Path, entry: list[Any]) -> SavedFrame:
    name, iteration, width, height, change, *of_clip = entry
    size = (int(width), int(height))
    return SavedFrame(str(folder / Path(name).name), int(iteration), size, float(change), any(of_clip))
