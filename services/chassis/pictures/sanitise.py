"""Makes a clean picture out of untrusted bytes; run as `python -m services.chassis.pictures.sanitise IN FULL THUMB`.

A process of its own, confined. Both results are new JPEGs that hold pixels and nothing else: turned upright, in sRGB,
the first image of several, without EXIF, GPS, XMP, profiles, comments, thumbnails or anything behind the end.
Prints `ok <64 bits in hex, or ->`, or why not in one word.
"""

from __future__ import annotations

import errno
import io
import struct
import sys
import warnings
from pathlib import Path

from PIL import Image, ImageCms, JpegImagePlugin, PngImagePlugin, UnidentifiedImageError, WebPImagePlugin

from services.chassis.pictures.confine import confine
from services.chassis.pictures.likeness import COLUMNS, ROWS, look_of

FORMATS = ("JPEG", "PNG", "WEBP")
FULL_SIDE = 2560  # pixels; phones send 1600
THUMB_SIDE = 360
MAX_PIXELS = 50_000_000
NO_ROOM = "no_room"
BROKEN = 1
"""How the child ends when the picture is at fault; any other end is somebody else's doing."""
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS)
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ORIENTATION = 0x0112
_BAD_TAGS = (SyntaxError, ValueError, TypeError, LookupError, OSError, OverflowError, ArithmeticError, struct.error)
"""What Pillow raises for EXIF and profiles that are rubbish."""
_PLUGINS = (JpegImagePlugin, PngImagePlugin, WebPImagePlugin)  # imported, so that no other format is even known


def clean(source: Path, full: Path, thumb: Path) -> int | None:
    """Write both clean pictures; what they look like. Raises what Pillow raises for bytes that are no sound picture."""
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    with Image.open(source, formats=FORMATS) as probe:
        probe.verify()
    with Image.open(source, formats=FORMATS) as opened:
        turn = _turn(opened)
        opened.draft(None, (FULL_SIDE, FULL_SIDE))  # a large JPEG is decoded at half its size or less
        picture = _flat(opened)
    picture.thumbnail((FULL_SIDE, FULL_SIDE))
    if turn is not None:
        picture = picture.transpose(turn)
    _save(picture, full, 85)
    shades = picture.convert("L").resize((COLUMNS, ROWS), Image.Resampling.BOX).tobytes()
    picture.thumbnail((THUMB_SIDE, THUMB_SIDE))
    _save(picture, thumb, 75)
    return look_of(shades)


def _save(picture: Image.Image, target: Path, quality: int) -> None:
    picture.info.clear()  # Pillow would carry a comment over
    picture.save(target, "JPEG", quality=quality, optimize=False)


def _turn(picture: Image.Image) -> Image.Transpose | None:
    """How to set it upright. Where its EXIF cannot be read it stays as it is: that is no reason to refuse it."""
    try:
        return _TURNS.get(picture.getexif().get(_ORIENTATION, 1))
    except _BAD_TAGS:
        return None


def _flat(picture: Image.Image) -> Image.Image:
    """Eight bits of red, green and blue: JPEG knows no transparency, so the picture is laid on white."""
    picture.load()
    profile = picture.info.get("icc_profile")
    if picture.mode.startswith("I"):  # sixteen bits: Pillow would cut them off at 255
        picture = picture.point(lambda shade: shade / 256).convert("L")
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        layer = picture.convert("RGBA")
        ground = Image.new("RGB", layer.size, "white")
        ground.paste(layer, mask=layer.getchannel("A"))
        picture = ground
    return _in_srgb(picture, profile)


def _in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """The colours as they were meant; a profile that does not fit counts as none."""
    if profile and picture.mode in ("RGB", "CMYK", "L"):
        try:
            meant = ImageCms.getOpenProfile(io.BytesIO(profile))
            turned = ImageCms.profileToProfile(picture, meant, ImageCms.createProfile("sRGB"), outputMode="RGB")
        except (ImageCms.PyCMSError, *_BAD_TAGS):
            turned = None
        if turned is not None:
            return turned
    return picture.convert("RGB")


def main(arguments: list[str]) -> int:
    """0 and `ok`, or `BROKEN` and the reason as one word."""
    source, full, thumb = (Path(argument) for argument in arguments)
    confine()
    try:
        look = clean(source, full, thumb)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        reason = "too_many_pixels"
    except UnidentifiedImageError:
        reason = "not_an_image"
    except MemoryError:
        reason = "too_large"
    except OSError as error:
        reason = NO_ROOM if error.errno in _FULL else "damaged"
    except Exception:  # noqa: BLE001 - decoders raise nearly anything on broken data; the process ends here anyway
        reason = "damaged"
    else:
        sys.stdout.write(f"ok {'-' if look is None else f'{look:016x}'}")
        return 0
    sys.stdout.write(reason)
    return BROKEN


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
