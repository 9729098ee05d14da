"""Pictures that mean harm or are broken, made from a seed: no file of them lies anywhere.

Each has a name, its bytes, the type it announces, and what has to come of it: `clean`, or the word of the refusal.
"""

from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from PIL import Image, ImageCms, PngImagePlugin

SEED = 20260601
CLEAN = "clean"
HTML = b"<html><script>fetch('/api/v1/session')</script></html>"
SECRET = b"KEEP-THIS-AT-HOME"
JPEG, PNG, WEBP = "image/jpeg", "image/png", "image/webp"


@dataclass(frozen=True, slots=True)
class Hostile:
    """One of them. `outcomes`: several where the decoder may repair it or not, which is all the same to us."""

    name: str
    content: bytes
    mime: str
    outcomes: frozenset[str]


def scene(dice: random.Random, size: tuple[int, int] = (160, 120), mode: str = "RGB") -> Image.Image:
    """Blobs of colour: something a camera might have seen."""
    picture = Image.new("RGB", size, "grey")
    for _ in range(12):
        left, top = dice.randrange(size[0]), dice.randrange(size[1])
        colour = tuple(dice.randrange(256) for _ in range(3))
        picture.paste(colour, (left, top, left + size[0] // 4, top + size[1] // 4))
    return picture.convert(mode)


def encoded(picture: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def with_segment(jpeg: bytes, marker: int, body: bytes) -> bytes:
    """A segment more, right behind the start."""
    return jpeg[:2] + struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body + jpeg[2:]


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, *more: bytes, depth: int = 8, colour: int = 2) -> bytes:
    """A PNG of whatever chunks, its header as told."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(more) + chunk(b"IEND", b"")


def looping_exif(order: str) -> bytes:
    """EXIF whose directories lead back to themselves, with the place where it was taken."""
    entries = (
        struct.pack(f"{order}HHII", 0x0112, 3, 1, 6 if order == "<" else 6 << 16),
        struct.pack(f"{order}HHII", 0x8769, 4, 1, 8),  # its own EXIF directory is itself
        struct.pack(f"{order}HHII", 0x8825, 4, 1, 8),
        struct.pack(f"{order}HHII", 0xA005, 4, 1, 8),
    )
    head = (b"II*\x00" if order == "<" else b"MM\x00*") + struct.pack(f"{order}I", 8)
    ring = struct.pack(f"{order}H", len(entries)) + b"".join(entries) + struct.pack(f"{order}I", 8)
    return b"Exif\x00\x00" + head + ring + SECRET


def corpus() -> Iterator[Hostile]:
    """All of them, the same at every call."""
    for family in (_cut, _polyglots, _bombs, _metadata, _kinds, _others):
        dice = random.Random(f"{SEED} {family.__name__}")
        yield from family(dice)


def _is(name: str, content: bytes, mime: str, *outcomes: str) -> Hostile:
    return Hostile(name, content, mime, frozenset(outcomes))


def _cut(dice: random.Random) -> Iterator[Hostile]:
    jpeg, flat = encoded(scene(dice)), encoded(scene(dice), "PNG")
    yield _is("nothing", b"", JPEG, "not_an_image")
    yield _is("one byte", b"\xff", JPEG, "not_an_image")
    yield _is("magic alone", jpeg[:3], JPEG, "not_an_image")
    for part in (0.1, 0.5, 0.9):
        yield _is(f"jpeg cut at {part}", jpeg[: int(len(jpeg) * part)], JPEG, "damaged", "not_an_image")
        yield _is(f"png cut at {part}", flat[: int(len(flat) * part)], PNG, "damaged", "not_an_image")
    for n in range(6):
        bent = bytearray(jpeg)
        for _ in range(1 + n * 3):
            bent[dice.randrange(2, len(bent))] ^= 1 << dice.randrange(8)
        yield _is(f"jpeg bent {n}", bytes(bent), JPEG, CLEAN, "damaged", "not_an_image", "too_many_pixels")


def _polyglots(dice: random.Random) -> Iterator[Hostile]:
    jpeg = encoded(scene(dice))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr(zipfile.ZipInfo("run.html"), HTML + SECRET)
    yield _is("jpeg with a zip behind", jpeg + archive.getvalue(), JPEG, CLEAN)
    yield _is("jpeg with a page behind", jpeg + HTML + SECRET, JPEG, CLEAN)
    yield _is("jpeg with a page as comment", with_segment(jpeg, 0xFE, HTML + SECRET), JPEG, CLEAN)
    yield _is("png with a page behind", encoded(scene(dice), "PNG") + HTML + SECRET, PNG, CLEAN)
    yield _is("gif named jpeg", encoded(scene(dice), "GIF"), JPEG, "not_an_image")
    yield _is("page behind the magic", b"\xff\xd8\xff" + HTML * 20, JPEG, "not_an_image", "damaged")


def _bombs(dice: random.Random) -> Iterator[Hostile]:
    tall = encoded(Image.new("1", (10_000, 10_000)), "PNG")
    yield _is("png of many pixels", tall, PNG, "too_many_pixels")
    yield _is("png header of 4 thousand million", png(65_535, 65_535, chunk(b"IDAT", b"")), PNG, "too_many_pixels")
    yield _is("png without pixels", png(0, 0, chunk(b"IDAT", b"")), PNG, "damaged", "not_an_image")
    yield _is("png that unpacks too much", png(64, 64, chunk(b"IDAT", zlib.compress(bytes(64 << 20)))), PNG, CLEAN)
    words = chunk(b"iTXt", b"k\0\1\0\0\0" + zlib.compress(bytes(64 << 20)))
    yield _is("png with words that unpack", png(8, 8, words, _pixels(8, 8)), PNG, CLEAN, "damaged")
    profile = chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(64 << 20)))
    yield _is("png with a profile that unpacks", png(8, 8, profile, _pixels(8, 8)), PNG, CLEAN, "damaged")
    jpeg = bytearray(encoded(scene(dice)))
    at = jpeg.index(b"\xff\xc0") + 5
    jpeg[at : at + 4] = struct.pack(">HH", 65_500, 65_500)
    yield _is("jpeg header of 65 500 squared", bytes(jpeg), JPEG, "too_many_pixels")
    yield _is("one row of 60 000", encoded(Image.new("RGB", (60_000, 1), "red"), "PNG"), PNG, CLEAN)


def _pixels(width: int, height: int) -> bytes:
    return chunk(b"IDAT", zlib.compress((b"\0" + b"\x80" * width * 3) * height))


def _metadata(dice: random.Random) -> Iterator[Hostile]:
    jpeg = encoded(scene(dice))
    for order in "<>":
        yield _is(f"exif in a ring {order}", with_segment(jpeg, 0xE1, looping_exif(order)), JPEG, CLEAN)
    yield _is("exif of rubbish", with_segment(jpeg, 0xE1, b"Exif\0\0" + dice.randbytes(900)), JPEG, CLEAN)
    xmp = b"http://ns.adobe.com/xap/1.0/\0" + SECRET
    yield _is("xmp", with_segment(jpeg, 0xE1, xmp), JPEG, CLEAN)
    yield _is("iptc", with_segment(jpeg, 0xED, b"Photoshop 3.0\08BIM" + SECRET), JPEG, CLEAN)
    yield _is("a profile of rubbish", encoded(scene(dice), icc_profile=SECRET + dice.randbytes(600)), JPEG, CLEAN)
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    lab = lab[:24] + bytes(12) + lab[36:]  # it tells when it was made
    yield _is("a profile that does not fit", encoded(scene(dice), icc_profile=lab), JPEG, CLEAN)
    large = b"".join(
        struct.pack(">BBH", 0xFF, 0xE2, 65_535) + b"ICC_PROFILE\0" + bytes([n, 90]) + dice.randbytes(65_519)
        for n in range(1, 91)
    )
    yield _is("a profile of six megabytes", jpeg[:2] + large + jpeg[2:], JPEG, CLEAN, "damaged")
    told = PngImagePlugin.PngInfo()
    told.add_text("Comment", SECRET.decode())
    told.add_itxt("XML:com.adobe.xmp", SECRET.decode())
    yield _is("png with words", encoded(scene(dice), "PNG", pnginfo=told), PNG, CLEAN)


def _kinds(dice: random.Random) -> Iterator[Hostile]:
    """What cameras and scanners really send."""
    yield _is("cmyk", encoded(scene(dice, mode="CMYK")), JPEG, CLEAN)
    yield _is("grey", encoded(scene(dice, mode="L")), JPEG, CLEAN)
    yield _is("progressive", encoded(scene(dice), progressive=True), JPEG, CLEAN)
    yield _is("sixteen bits", encoded(Image.new("I;16", (40, 30), 40_000), "PNG"), PNG, CLEAN)
    yield _is("one bit", encoded(scene(dice, mode="1"), "PNG"), PNG, CLEAN)
    clear = scene(dice, mode="P")
    yield _is("palette that is partly clear", encoded(clear, "PNG", transparency=b"\0\x80" * 100), PNG, CLEAN)
    yield _is("half clear", encoded(scene(dice, mode="RGBA"), "PNG"), PNG, CLEAN)
    yield _is("grey and clear", encoded(scene(dice, mode="LA"), "PNG"), PNG, CLEAN)
    frames = [scene(dice) for _ in range(4)]
    moving: dict[str, object] = {"save_all": True, "append_images": frames[1:]}
    yield _is("moving png", encoded(frames[0], "PNG", **moving), PNG, CLEAN)
    yield _is("moving webp", encoded(frames[0], "WEBP", **moving), WEBP, CLEAN)
    yield _is("webp", encoded(scene(dice), "WEBP"), WEBP, CLEAN)


def _others(dice: random.Random) -> Iterator[Hostile]:
    """Other things under a picture's name."""
    drawing = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    makers: dict[str, Callable[[], bytes]] = {
        "svg": lambda: drawing,
        "html": lambda: HTML,
        "pdf": lambda: b"%PDF-1.7\n" + dice.randbytes(200),
        "tiff": lambda: encoded(scene(dice), "TIFF"),
        "bmp": lambda: encoded(scene(dice), "BMP"),
        "heic": lambda: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + dice.randbytes(400),
        "eps": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n(%s) run\n" + dice.randbytes(50),
    }
    for name, make in makers.items():
        yield _is(f"{name} named jpeg", make(), JPEG, "not_an_image")
    yield _is("webp named jpeg", encoded(scene(dice), "WEBP"), JPEG, "not_as_announced")
    yield _is("png named jpeg", encoded(scene(dice), "PNG"), JPEG, "not_as_announced")
    yield _is("rubbish", dice.randbytes(5_000), JPEG, "not_an_image")
