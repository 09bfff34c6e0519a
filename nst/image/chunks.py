"""A PNG with a chunk whose checksum is wrong, which browsers show if the chunk is none of its pixels."""

from __future__ import annotations

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def without_broken(data: bytes) -> bytes | None:
    """Return a PNG without its ancillary chunks of a wrong checksum; None if it has none, or is no PNG."""
    if not data.startswith(SIGNATURE):
        return None
    kept, at = [SIGNATURE], len(SIGNATURE)
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        chunk = data[at : at + 12 + length]
        ancillary = chunk[4:5].islower()
        if len(chunk) < 12 + length:
            kept.append(chunk)
            break
        if not ancillary or zlib.crc32(chunk[4:-4]) == struct.unpack(">I", chunk[-4:])[0]:
            kept.append(chunk)
        at += 12 + length
    whole = b"".join(kept)
    return whole if len(whole) < len(data) else None
