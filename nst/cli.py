"""The command line: photos and paintings in, picture files out."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
import unicodedata
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from glob import glob
from pathlib import Path
from typing import IO, Any

import numpy as np
from huggingface_hub.utils import tqdm

from nst.clips.clip import ClipFrame, stylize_clip
from nst.clips.reading import ENDINGS, is_clip, open_clip
from nst.clips.writing import KINDS as CLIPS
from nst.clips.writing import write_clip
from nst.errors import IncompleteWarning, InputError
from nst.host.allocator import keep_freed
from nst.image.decoding import measure
from nst.image.metadata import describe_painting, settings_of
from nst.image.picture_files import PICTURES, encode_picture
from nst.image.saving import NotSavedError, check_writable, save
from nst.image.timelapse import as_mp4, as_webp, thinned
from nst.optimization.frames import Frame
from nst.options import OWN_SIZE, parser
from nst.painting import stylize
from nst.settings import KNOBS, MOST_STYLES, Settings

# What ends the program from outside ends it with 128 and its number, as shells count; Ctrl-C is 130.
FINISHED, BROKEN, MISUSED, UNSAVED, ENDED = 0, 1, 2, 3, 128
FILMS = {".mp4": as_mp4, ".webp": as_webp}
# Options that a clip has no use for.
_FOR_PHOTOS = ("time-lapse", "resume")
# Frames held for a film, at most twice as many.
_MOST_KEPT = 72

log = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Paint what the arguments say.

    Returns:
        0 finished; 1 something unforeseen broke; 2 the arguments or a picture cannot be used; 3 a file could
        not be written; 128 and the number of a signal that ended it, with the picture as it was then saved.
    """
    options = vars(parser().parse_args(arguments))
    keep_freed()
    logging.basicConfig(
        level=logging.INFO if options.pop("verbose") else logging.WARNING, format="%(message)s"
    )
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    worst = FINISHED
    try:
        with _stop_on_signals() as stop:
            for job in _jobs(options):
                worst = max(worst, _attempt(job, options, stop))
                if stop.number:
                    return ENDED + stop.number
    except InputError as error:
        _say(f"error: {error}", sys.stderr)
        return MISUSED
    except KeyboardInterrupt:
        return ENDED + signal.SIGINT
    return worst


@dataclass(frozen=True)
class _Job:
    """One photo and where its painting goes."""

    photo: str
    styles: list[str]
    output: Path
    settings: Settings
    own_size: bool  # of the photo, in place of the settings'
    among_others: bool  # so that messages name it
    moves: bool = False  # a clip, painted as one

    def say(self, text: str) -> None:
        """Say what is wrong."""
        _say(f"error: {self.photo}: {text}" if self.among_others else f"error: {text}", sys.stderr)


@dataclass
class _Stop:
    """The wish to stop, and by which signal it came."""

    number: int = 0

    def wished(self) -> bool:
        """Return whether there is one."""
        return bool(self.number)


def _attempt(job: _Job, options: dict[str, Any], stop: _Stop) -> int:
    """Paint what a job is; return an exit code, having said what is wrong."""
    try:
        return (_paint_clip if job.moves else _paint)(job, options, stop)
    except InputError as error:
        job.say(str(error))
        return MISUSED
    except Exception as error:
        log.info("%s", "it broke here:", exc_info=error)
        job.say(f"something unforeseen broke ({_shortly(error)}); -v tells more.")
        return BROKEN


def _paint(job: _Job, options: dict[str, Any], stop: _Stop) -> int:
    """Paint one photo and save what came of it; return an exit code."""
    film: Path | None = options["time_lapse"]
    frames: list[np.ndarray] = []
    longest = max(measure(job.photo, "The photo")) if job.own_size else 0
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always", IncompleteWarning)
        painted = stylize(
            job.photo,
            job.styles,
            _sized(job, longest),
            keep=options["keep"],
            regions=_numbered(options, "region"),
            style_masks=_numbered(options, "style_mask"),
            start=options["start"],
            resume=options["resume"],
            stop=stop.wished,
        )
    for one in heard:
        if one.category is IncompleteWarning:
            _say(f"note: {one.message}", sys.stderr)
    last = _watch(painted, frames if film is not None else None)
    code = _save(lambda: encode_picture(last.image, job.output.suffix, _text(last)), job.output)
    if code == FINISHED:
        if last.notice:
            _say(f"note: {last.notice}", sys.stderr)
        _say(
            f"{job.output}: {last.width} x {last.height}, {last.iteration} iterations, {last.seconds:.1f} s,"
            f" {last.encoder} on {last.device}",
            sys.stdout,
        )
    if film is not None:
        try:
            code = max(code, _save(lambda: FILMS[film.suffix.lower()](frames), film))
        except KeyboardInterrupt:
            stop.number = signal.SIGINT
            _say(f"the film {film.name} was left out; the picture is kept", sys.stderr)
    return code


def _paint_clip(job: _Job, options: dict[str, Any], stop: _Stop) -> int:
    """Paint one clip into its file; return an exit code."""
    clip = open_clip(job.photo, "The photo", options["fps"], options["frames"])
    frames = stylize_clip(
        clip,
        job.styles,
        _sized(job, max(clip.size)),
        keep=options["keep"],
        regions=_numbered(options, "region"),
        style_masks=_numbered(options, "style_mask"),
        start=options["start"],
        stop=stop.wished,
    )
    began = time.monotonic()
    try:
        count = write_clip(_watch_clip(frames), clip, job.output)
    except NotSavedError as error:
        return _unsaved(error, job.output)
    _say(f"{job.output}: {count} frames, {time.monotonic() - began:.1f} s", sys.stdout)
    return FINISHED


def _save(encode: Callable[[], bytes], path: Path) -> int:
    """Write a file; return an exit code, having said what is wrong."""
    try:
        save(encode(), path)
    except NotSavedError as error:
        return _unsaved(error, path)
    except Exception as error:
        log.info("%s", "it broke here:", exc_info=error)
        _say(f"error: {path.name} cannot be made ({_shortly(error)}); -v tells more.", sys.stderr)
        return BROKEN
    return FINISHED


def _unsaved(error: NotSavedError, path: Path) -> int:
    where = f" It is at {error.instead} instead." if error.instead else ""
    _say(f"error: {path.name} cannot be written: {error.strerror}.{where}", sys.stderr)
    return UNSAVED


def _text(frame: Frame) -> dict[str, str]:
    return describe_painting(frame.settings.public(), frame.encoder)


def _shortly(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".partition("\n")[0][:200]


def _say(text: str, stream: IO[str] | None) -> None:
    """Print a line, whatever has become of where it goes: the picture is there all the same."""
    with suppress(OSError, ValueError, AttributeError):
        try:
            print(text, file=stream, flush=True)
        except UnicodeEncodeError:
            print(text.encode("ascii", "backslashreplace").decode(), file=stream, flush=True)


def _jobs(options: dict[str, Any]) -> list[_Job]:
    """Return what is to be painted, every place for it checked.

    Raises:
        InputError: the arguments do not go together, or a file is in the way.
    """
    pictures, styles = _expanded(options["pictures"]), options["style"]
    photos = pictures if styles else pictures[:1]
    styles = styles or pictures[1:]
    if not styles:
        raise InputError("There is no painting; name one after the photo, or with --style.")
    source = options["settings_from"]
    found = {} if source is None else settings_of(source, "The picture with the settings")
    taken = Settings.acceptable(found)
    if found and not taken:
        _say("note: The picture with the settings has none that are known here.", sys.stderr)
    if options["start"] is not None and options["initial"] is None:
        options["initial"] = "picture"
    own_size = options["size"] == OWN_SIZE
    if own_size:
        options["size"] = None
    given = {name: options[name] for name in KNOBS if options[name] is not None}
    settings = Settings(**{**taken, **given})
    moves = _moves(options["output"], photos, options)
    outputs = [Path(options["output"])] if moves else _outputs(options["output"], photos)
    film: Path | None = options["time_lapse"]
    if film is not None:
        if len(photos) > 1:
            raise InputError("A time-lapse is made of one photo; leave --time-lapse out, or name one photo.")
        _check_output(film, tuple(FILMS), "MP4 nor WebP")
        if _is_same(film, outputs[0]):
            raise InputError(f"{film.name} is named for both picture and film; give them two names.")
    masks = [*_numbered(options, "region"), *_numbered(options, "style_mask")]
    read = [*photos, *styles, options["keep"], options["start"], *masks]
    for path in [*outputs, *([film] if film else [])]:
        if not options["force"] and any(one and _is_same(path, Path(one)) for one in read):
            raise InputError(f"{path.name} is a picture to paint from; name another, or add --force.")
    try:
        for path in [*outputs, *([film] if film else [])]:
            check_writable(path)
    except NotSavedError as error:
        _say(f"error: {error.path.name} cannot be written: {error.strerror}.", sys.stderr)
        raise SystemExit(UNSAVED) from error
    return [
        _Job(photo, styles, output, settings, own_size, len(photos) > 1, moves)
        for photo, output in zip(photos, outputs, strict=True)
    ]


def _moves(place: str, photos: Sequence[str], options: dict[str, Any]) -> bool:
    """Return whether a clip is to be painted as one, which its output's name says.

    Raises:
        InputError: a film can only become a film, or an option is for photos only.
    """
    suffix = Path(place).suffix.lower()
    films = [photo for photo in photos if Path(photo).suffix.lower() in ENDINGS]
    if len(photos) == 1 and suffix in CLIPS and (suffix not in PICTURES or is_clip(photos[0])):
        _check_output(Path(place), CLIPS, "MP4, WebP nor GIF")
        if others := [name for name in _FOR_PHOTOS if options[name.replace("-", "_")] is not None]:
            raise InputError(f"--{others[0]} is for photos; leave it out for a clip.")
        return True
    if films:
        raise InputError(
            f"{Path(films[0]).name} is a clip; paint it alone, into a file that ends in {', '.join(CLIPS)}."
        )
    if clip_options := [name for name in ("frames", "fps") if options[name] is not None]:
        raise InputError(f"--{clip_options[0]} is for clips; name one, and an output such as out.mp4.")
    return False


def _outputs(place: str, photos: Sequence[str]) -> list[Path]:
    """Return where each photo's painting goes: the file that is named, or one of its name in the folder.

    Raises:
        InputError: there is no such place, or its ending is not one of a picture.
    """
    output = Path(place)
    if not (output.is_dir() or place.endswith(("/", os.sep))):
        if len(photos) > 1:
            raise InputError(
                f"{len(photos)} photos need a folder that exists; add one, such as -o paintings/."
            )
        _check_output(output, PICTURES, "PNG, JPEG, WebP nor TIFF")
        return [output]
    if not output.is_dir():
        raise InputError(f"The folder {output} for the output does not exist; make it first.")
    outputs: dict[str, Path] = {}
    for photo in photos:
        stem, number = Path(photo).stem, 1
        path = output / f"{stem}.png"
        # To macOS and Windows names are the same whose letters differ in case, or in how they are composed.
        while (name := unicodedata.normalize("NFC", path.name).casefold()) in outputs:
            number += 1
            path = output / f"{stem}-{number}.png"
        outputs[name] = path
    return list(outputs.values())


def _expanded(names: Sequence[str]) -> list[str]:
    """Return names of files in place of patterns, which no shell has expanded on Windows.

    Raises:
        InputError: no file matches.
    """
    found: list[str] = []
    for name in names:
        if Path(name).exists() or not any(letter in name for letter in "*?["):
            found.append(name)
        elif matching := sorted(glob(name)):  # noqa: PTH207 (of any folder)
            found += matching
        else:
            raise InputError(f"No file is named like {name}.")
    return found


def _sized(job: _Job, longest: int) -> Settings:
    """Return a job's settings, for its photo's own size if that is wanted, as far as that can be painted.

    Args:
        longest: the photo's longer side.
    """
    if not job.own_size:
        return job.settings
    knob = KNOBS["size"]
    size = int(min(max(longest, knob.low), knob.high))
    if size != longest:
        _say(f"note: {Path(job.photo).name} has {longest} pixels; it is painted with {size}.", sys.stderr)
    return replace(job.settings, size=size)


def _is_same(one: Path, other: Path) -> bool:
    with suppress(OSError):
        return one.samefile(other)
    return one.resolve() == other.resolve()


def _numbered(options: dict[str, Any], kind: str) -> list[str | None]:
    """Return the masks of a kind in the order of the styles, as far as any is named."""
    masks = [options[f"{kind}_{number}"] for number in range(1, MOST_STYLES + 1)]
    while masks and masks[-1] is None:
        masks.pop()
    return masks


def _check_output(path: Path, suffixes: tuple[str, ...], kinds: str) -> None:
    """Refuse a name that no file of that kind can have."""
    if path.suffix.lower() not in suffixes:
        raise InputError(f"The output {path.name} is neither {kinds}; end its name in {', '.join(suffixes)}.")
    if not path.parent.is_dir():
        raise InputError(f"The folder {path.parent} for the output does not exist; make it first.")
    if path.is_dir():
        raise InputError(f"The output {path.name} is a folder; name a file.")


class _Terminal:
    """Where the progress bar is drawn, if that is still there and can show it."""

    def __init__(self, stream: IO[str] | None) -> None:
        self._stream: Any = stream  # what is not there cannot be written to either

    def write(self, text: str) -> None:
        """Draw what can be drawn."""
        with suppress(OSError, ValueError, AttributeError):
            self._stream.write(text)

    def flush(self) -> None:
        """Show it."""
        with suppress(OSError, ValueError, AttributeError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _watch(frames: Iterator[Frame], kept: list[np.ndarray] | None) -> Frame:
    """Draw a progress bar while the frames come, keep their pictures if wanted; return the last."""
    with tqdm(unit="it", file=_Terminal(sys.stderr), dynamic_ncols=True) as bar:
        for frame in frames:
            bar.total = frame.total
            bar.set_description(f"{frame.width}x{frame.height}", refresh=False)
            bar.set_postfix(loss=f"{frame.losses.get('total', float('nan')):.4f}", refresh=False)
            bar.update(frame.iteration - bar.n)
            if kept is not None:
                if len(kept) >= 2 * _MOST_KEPT:
                    kept[:] = thinned(kept, _MOST_KEPT)
                kept.append(frame.image)
    return frame


def _watch_clip(frames: Iterator[ClipFrame]) -> Iterator[np.ndarray]:
    """Draw a progress bar while the frames come; yield the pictures of those that are finished."""
    with tqdm(unit="frame", file=_Terminal(sys.stderr), dynamic_ncols=True) as bar:
        for each in frames:
            bar.total = each.count
            bar.set_description(f"{each.frame.width}x{each.frame.height}", refresh=False)
            if each.done:
                bar.update(1)
                yield each.frame.image


@contextmanager
def _stop_on_signals() -> Iterator[_Stop]:
    """Turn Ctrl-C, SIGTERM and SIGHUP into a wish to stop; a second Ctrl-C ends the program as ever."""
    stop = _Stop()

    def wish(number: int, _: object) -> None:
        stop.number = stop.number or number
        signal.signal(signal.SIGINT, signal.default_int_handler)
        _say("\nstopping; the picture so far is kept", sys.stderr)

    before = {}
    if threading.current_thread() is threading.main_thread():  # no other one hears them
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            # What is ignored stays so: nohup means it.
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, wish)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
