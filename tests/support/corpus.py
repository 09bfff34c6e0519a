"""Files such as the open internet sends: whole, broken, odd and hostile, always the same ones."""

import random
import struct
import zlib
from collections.abc import Iterator

import numpy as np
import pillow_heif
from pictures import encoded, picture
from PIL import Image, PngImagePlugin

pillow_heif.register_heif_opener()
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "AVIF", "HEIF")
PAGE = b"<html><script>alert(1)</script></html>"


def corpus(flips: int) -> Iterator[tuple[str, bytes]]:
    """Yield name and bytes of each file; `flips` is how many copies of each format get wrong bytes."""
    chance = random.Random(0)
    for form in FORMATS:
        for name, data in broken(encoded(picture(40, 30), form), flips, chance):
            yield f"{name}.{form}", data
    yield from sizes()
    yield from odd()
    yield from NO_PICTURES.items()
    for form in ("PPM", "ICO", "TGA", "PCX", "SGI", "IM"):
        yield f"taken by few.{form}", encoded(picture(32, 32), form)
    for number in range(5):
        yield f"noise {number}", chance.randbytes(2000)


def broken(whole: bytes, flips: int, chance: random.Random) -> Iterator[tuple[str, bytes]]:
    """A file as it is, cut, changed and with others behind and before it."""
    yield "whole", whole
    yield "with a page behind", whole + PAGE + b"PK\x03\x04" * 50
    yield "behind a page", PAGE + whole
    yield "twice", whole + whole
    for share in (0, 0.05, 0.3, 0.6, 0.9, 0.99):
        yield f"cut at {share}", whole[: int(len(whole) * share)]
    for number in range(flips):
        changed = bytearray(whole)
        for _ in range(chance.randint(1, 12)):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        yield f"flipped {number}", bytes(changed)
    for place in range(3):
        at = chance.randrange(4, len(whole))
        yield f"with zeros {place}", whole[:at] + bytes(64) + whole[at:]


def sizes() -> Iterator[tuple[str, bytes]]:
    """Thin, tiny and long ones, small files of enormous pictures, and small texts of enormous length."""
    for size in ((1, 1), (1, 5000), (15, 16), (16, 16), (9000, 16), (65_000, 16)):
        for form in ("PNG", "JPEG"):
            yield f"{size[0]} x {size[1]}.{form}", encoded(Image.new("RGB", size, "teal"), form)
    yield "large and thin.TIFF", encoded(Image.new("L", (16, 60_000)), "TIFF", compression="tiff_lzw")
    for side in (7000, 12_000):
        yield f"white {side} px square.PNG", encoded(Image.new("1", (side, side), 1), "PNG")
    for width, height in ((50_000, 50_000), (2**31 - 1, 2**31 - 1), (2**31 - 1, 1), (0, 100)):
        yield f"claims {width} x {height}.PNG", claiming(width, height)
    gif = b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + b"\xf7\0\0" + bytes(768) + b";"
    webp = b"WEBPVP8X\x0a\0\0\0\0\0\0\0\xfe\x3f\0\xfe\x3f\0VP8L\x05\0\0\0/\xfe\xff\xff\xff"
    bmp = struct.pack("<IHHIIiiHHIIiiII", 60, 0, 0, 54, 40, 40_000, 40_000, 1, 24, 0, 0, 0, 0, 0, 0)
    yield "claims 65535 square.GIF", gif
    yield "claims 16383 square.WEBP", b"RIFF\x24\0\0\0" + webp
    yield "claims a lot.BMP", b"BM" + bmp
    whole, text = encoded(picture(40, 30), "PNG"), zlib.compress(bytes(80_000_000), 9)
    for name, kind, before in (("text", b"zTXt", b"Comment"), ("profile", b"iCCP", b"p")):
        yield f"{name} of 80 MB.PNG", with_chunks(whole, (kind, before + b"\0\0" + text))


def claiming(width: int, height: int) -> bytes:
    """Return the beginning of a PNG that says it is this large."""
    return png(width, height, bytes(1000), 2)


def png(width: int, height: int, rows: bytes, kind: int) -> bytes:
    """Return a PNG of eight bits; `kind` 0 is grey, 2 is colours."""
    size = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    chunks = chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def with_chunks(whole: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    """Return a PNG with more chunks after its head."""
    return whole[:33] + b"".join(chunk(*one) for one in chunks) + whole[33:]


def odd() -> Iterator[tuple[str, bytes]]:
    """Samples that are no numbers, an orientation and settings that are none, and animations."""
    base = picture(40, 30)
    for value in (1e38, np.inf, np.nan):
        yield f"{value}.TIFF", encoded(Image.fromarray(np.full((30, 40), value, np.float32)), "TIFF")
    exif = Image.Exif()
    exif[0x0112] = 60_000
    yield "turned.JPEG", encoded(base, "JPEG", exif=exif)
    info = PngImagePlugin.PngInfo()
    info.add_itxt("Settings", '{"size": 1e999, "seed": NaN}')
    yield "hostile settings.PNG", encoded(base, "PNG", pnginfo=info)
    base.putalpha(Image.linear_gradient("L").resize(base.size))
    for form in ("GIF", "WEBP", "PNG", "TIFF", "AVIF"):
        yield f"animated.{form}", encoded(base, form, save_all=True, append_images=[base.rotate(90)])


# And none that is taken for one.
NO_PICTURES = {
    "entities.svg": b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><svg>&a;</svg>',
    "program.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n(/etc/passwd) (r) file\nshowpage\n",
    "pickle.pkl": b"\x80\x04cos\nsystem\n(S'true'\ntR.",
}
