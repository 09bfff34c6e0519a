"""Reading a PNG that Pillow refuses because of a chunk that browsers ignore."""

from __future__ import annotations

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SHOWN = {b"tRNS", b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"eXIf"}  # besides the mandatory ones


def shown_alone(data: bytes) -> bytes | None:
    """Return a PNG with only the chunks that affect its pixels and colours, None if it has no others.

    Texts, which may be too long to be unpacked, and chunks with a wrong checksum are left out.
    """
    if not data.startswith(SIGNATURE):
        return None
    kept, at = [SIGNATURE], len(SIGNATURE)
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        chunk = data[at : at + 12 + length]
        name, checksum = chunk[4:8], chunk[8 + length :]
        whole = len(checksum) == 4 and zlib.crc32(chunk[4:-4]) == struct.unpack(">I", checksum)[0]
        if not name[:1].islower() or (name in _SHOWN and whole):
            kept.append(chunk)
        at += 12 + length
    less = b"".join(kept)
    return less if len(less) < len(data) else None
