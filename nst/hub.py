"""Single tensors out of a safetensors file on the Hugging Face Hub, by byte range."""

from __future__ import annotations

import json
import logging
import os
import struct
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeVar

import torch
from huggingface_hub import cached_assets_path, get_hf_file_metadata, hf_hub_url
from huggingface_hub.utils import WeakFileLock, get_session, tqdm
from safetensors import safe_open
from safetensors.torch import load, save_file
from torch import Tensor

log = logging.getLogger(__name__)

FIRST_CONTACT = 1.8  # seconds a Hub that does not answer may cost
STALL = 10.0  # seconds without a byte after which a transfer counts as broken
ATTEMPTS = 5  # broken transfers in a row without a byte of progress
_LARGEST_HEADER = 25_000_000

T = TypeVar("T")


class TransferError(OSError):
    """The Hub did not deliver what it should."""


@dataclass(frozen=True)
class _Span:
    """Where one tensor's bytes lie in the remote file."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int  # exclusive


def within(seconds: float, work: Callable[[], T]) -> T:
    """Return `work()`, giving up after `seconds` even where a name lookup ignores time-outs.

    Raises:
        TimeoutError: it took longer; the abandoned thread ends by itself.
    """
    result: list[T] = []
    failure: list[BaseException] = []

    def call() -> None:
        try:
            result.append(work())
        except BaseException as error:  # handed over to the waiting thread
            failure.append(error)

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(seconds)
    if failure:
        raise failure[0]
    if not result:
        raise TimeoutError(f"no answer within {seconds:g} s")
    return result[0]


def fetch_tensors(
    repo: str, filename: str, names: Sequence[str], *, endpoint: str | None = None
) -> dict[str, Tensor]:
    """Return `names` out of a safetensors file, downloading only their bytes.

    The transfer goes on where an earlier one broke off, also one of an earlier process, and the result is
    kept among Hugging Face's cached assets under the file's ETag.

    Args:
        repo: such as "timm/vgg19.tv_in1k".
        filename: the safetensors file in it.
        names: the tensors.
        endpoint: the Hub's address; by default HF_ENDPOINT or the public Hub.

    Raises:
        OSError: not reachable, broken off for good, or not what a safetensors file looks like.
    """
    endpoint = endpoint or os.environ.get("HF_ENDPOINT")
    url = hf_hub_url(repo, filename, endpoint=endpoint)
    found = within(FIRST_CONTACT, lambda: get_hf_file_metadata(url, timeout=FIRST_CONTACT))
    if not found.etag or not found.size:
        raise TransferError("the Hub does not say which version of the file it has")

    stem = "".join(c for c in found.etag if c.isalnum())[:40] + f"-{len(names)}"
    folder = _cache_folder(repo)
    if folder is None:
        with tempfile.TemporaryFile() as part:
            return _download(url, found.size, names, part)
    with WeakFileLock(folder / f"{stem}.lock"):
        kept = folder / f"{stem}.safetensors"
        if kept.exists():
            return read_kept(kept)
        partial = folder / f"{stem}.part"
        with partial.open("a+b") as part:
            tensors = _download(url, found.size, names, part)
        fresh = kept.with_suffix(".new")
        save_file(tensors, fresh)
        fresh.replace(kept)
        partial.unlink()
        return tensors


def kept_tensors(repo: str, count: int) -> dict[str, Tensor] | None:
    """Return the `count` tensors that `fetch_tensors` kept of `repo`, or None; asks no network."""
    folder = _cache_folder(repo)
    files = (
        sorted(folder.glob(f"*-{count}.safetensors"), key=lambda file: file.stat().st_mtime) if folder else []
    )
    for file in reversed(files):
        try:
            return read_kept(file)
        except Exception as error:  # safetensors has exceptions of its own for a damaged file
            log.warning("%s is damaged and removed: %s", file.name, error)
            file.unlink(missing_ok=True)
    return None


def read_kept(file: Path) -> dict[str, Tensor]:
    """Return all tensors of a local safetensors file."""
    with safe_open(file, framework="pt") as opened:
        return {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 (no mapping)


def _cache_folder(repo: str) -> Path | None:
    """Return a writable folder for what is kept of `repo`, or None where there is none."""
    try:
        folder = cached_assets_path("nst", namespace=repo.replace("/", "--"))
        return folder if os.access(folder, os.W_OK) else None
    except OSError:
        return None


def _download(url: str, size: int, names: Sequence[str], part: IO[bytes]) -> dict[str, Tensor]:
    """Append what `part` still lacks of the tensors' bytes and return the tensors."""
    length = struct.unpack("<Q", _read(url, 0, 8))[0]
    if not 2 <= length <= min(_LARGEST_HEADER, size - 8):
        raise TransferError("the file does not begin like safetensors")
    spans = _locate(_read(url, 8, 8 + length), 8 + length, size, names)
    part.seek(0, os.SEEK_END)
    wanted = sum(span.end - span.start for span in spans)
    if part.tell() > wanted:
        part.truncate(0)
    with tqdm(total=wanted, initial=part.tell(), unit="B", unit_scale=True, desc="VGG-19 weights") as bar:
        offset = 0
        for start, end in _merge(spans):
            have = part.tell() - offset
            if have < end - start:
                _transfer(url, start + have, end, part, bar)
            offset += end - start
    part.seek(0)
    try:
        return _assemble(spans, part.read())
    except Exception as error:
        part.truncate(0)  # what is damaged must not be resumed
        raise TransferError(f"the tensors arrived damaged: {error}") from error


def _read(url: str, start: int, end: int) -> bytes:
    """Return the bytes [start, end) of the remote file."""
    with tempfile.SpooledTemporaryFile(max_size=1 << 20) as buffer:
        _transfer(url, start, end, buffer, None)
        buffer.seek(0)
        return buffer.read()


def _transfer(url: str, start: int, end: int, into: IO[bytes], bar: Any) -> None:
    """Append the bytes [start, end) of the remote file to `into`, going on after breaks."""
    failures = 0
    while start < end:
        before = start
        try:
            headers = {"Range": f"bytes={start}-{end - 1}", "Accept-Encoding": "identity"}
            with get_session().stream(
                "GET", url, headers=headers, timeout=STALL, follow_redirects=True
            ) as reply:
                if reply.status_code != 206:
                    raise TransferError(f"asked for a byte range, got status {reply.status_code}")
                for chunk in reply.iter_raw():  # as it arrives: a break loses nothing
                    chunk = chunk[: end - start]
                    into.write(chunk)
                    start += len(chunk)
                    if bar is not None:
                        bar.update(len(chunk))
        except Exception as error:  # the session's transport brings its own exceptions
            failures = 0 if start > before else failures + 1
            if failures >= ATTEMPTS or (isinstance(error, TransferError) and start == before):
                raise TransferError(f"the transfer broke off: {error}") from error
            log.info("transfer broke off at byte %d, going on there", start)
            time.sleep(0.2 * failures)
        else:
            failures = 0 if start > before else failures + 1
            if failures >= ATTEMPTS:
                raise TransferError("the transfer ends too early again and again")
    into.flush()


def _locate(header: bytes, data: int, size: int, names: Sequence[str]) -> list[_Span]:
    """Return the spans of `names`, in the order of the file."""
    try:
        table = json.loads(header)
        spans = []
        for name in names:
            entry = table[name]
            start, end = (data + int(offset) for offset in entry["data_offsets"])
            spans.append(_Span(name, str(entry["dtype"]), tuple(int(n) for n in entry["shape"]), start, end))
    except (ValueError, KeyError, TypeError) as error:
        raise TransferError("the file's header does not list the tensors that are needed") from error
    if any(not data <= span.start < span.end <= size for span in spans):
        raise TransferError("the file's header points outside the file")
    return sorted(spans, key=lambda span: span.start)


def _merge(spans: list[_Span]) -> list[tuple[int, int]]:
    """Return the byte ranges to ask for: neighbouring tensors in one."""
    ranges: list[tuple[int, int]] = []
    for span in spans:
        if ranges and ranges[-1][1] == span.start:
            ranges[-1] = (ranges[-1][0], span.end)
        else:
            ranges.append((span.start, span.end))
    return ranges


def _assemble(spans: list[_Span], data: bytes) -> dict[str, Tensor]:
    """Return the tensors whose bytes follow each other in `data`, checked to be finite."""
    header, offset = {}, 0
    for span in spans:
        length = span.end - span.start
        header[span.name] = {
            "dtype": span.dtype,
            "shape": span.shape,
            "data_offsets": [offset, offset + length],
        }
        offset += length
    text = json.dumps(header).encode()
    # A small safetensors file of its own, so that the library does the checking of types and sizes.
    tensors = load(struct.pack("<Q", len(text)) + text + data)
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise TransferError(f"{name} holds values that are not finite")
    return tensors
