"""Makes a clean picture out of untrusted bytes; run as `python -m services.chassis.pictures.sanitise IN FULL THUMB`.

A process of its own, with limits on memory, time and file size, because image decoders are where hostile bytes bite.
Both results are new JPEGs: turned upright, without EXIF, GPS or embedded profiles. Prints one word: `ok` or why not.
"""

from __future__ import annotations

import errno
import resource
import sys
import warnings
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = ("JPEG", "PNG", "WEBP")
FULL_SIDE = 2560  # pixels; phones send 1600
THUMB_SIDE = 360
MAX_PIXELS = 50_000_000
_MEMORY = 1 << 30  # bytes of address space
_CPU_S = 20
NO_ROOM = "no_room"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS)
_FILE = 32 << 20  # bytes that the child may write


def confine() -> None:
    """Take away what decoding a picture does not need. Irreversible; call it in the child only."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE, _FILE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def clean(source: Path, full: Path, thumb: Path) -> None:
    """Write both clean pictures. Raises what Pillow raises for bytes that are no sound picture."""
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    with Image.open(source, formats=FORMATS) as probe:
        probe.verify()
    with Image.open(source, formats=FORMATS) as opened:
        upright = ImageOps.exif_transpose(opened)
        flat = _on_white(upright)
    for side, target, quality in ((FULL_SIDE, full, 85), (THUMB_SIDE, thumb, 75)):
        copy = flat.copy()
        copy.thumbnail((side, side))
        copy.save(target, "JPEG", quality=quality, optimize=False)


def _on_white(picture: Image.Image) -> Image.Image:
    """JPEG knows no transparency: lay the picture on white."""
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        layer = picture.convert("RGBA")
        ground = Image.new("RGB", layer.size, "white")
        ground.paste(layer, mask=layer.getchannel("A"))
        return ground
    return picture.convert("RGB")


def main(arguments: list[str]) -> int:
    """0 and `ok`, or 1 and the reason as one word."""
    source, full, thumb = (Path(argument) for argument in arguments)
    confine()
    try:
        clean(source, full, thumb)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        reason = "too_many_pixels"
    except UnidentifiedImageError:
        reason = "not_an_image"
    except MemoryError:
        reason = "too_large"
    except OSError as error:
        reason = NO_ROOM if error.errno in _FULL else "damaged"
    except (SyntaxError, ValueError, EOFError, KeyError, IndexError, TypeError):
        reason = "damaged"  # Pillow's decoders raise all of these on broken data
    else:
        sys.stdout.write("ok")
        return 0
    sys.stdout.write(reason)
    return 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
