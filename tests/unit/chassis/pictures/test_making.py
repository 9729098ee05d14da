"""What a clean picture keeps of what it was made of, and what the end of a child means."""

from __future__ import annotations

import io
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageCms, ImageDraw

from services.chassis.pictures.likeness import COLUMNS, NEAR, ROWS, bands_of, distance, look_of, probes_of
from services.chassis.pictures.sanitise import FULL_SIDE, THUMB_SIDE, clean
from services.chassis.pictures.workshop import BrokenImage, WorkshopClosed, outcome
from tests.support.hostile import encoded, scene

CORNERS = {"red": (2, 2), "lime": (77, 2), "blue": (2, 37), "yellow": (77, 37)}


def made(content: bytes, folder: Path) -> tuple[Image.Image, Image.Image, int | None]:
    source, full, thumb = (folder / name for name in ("in", "full", "thumb"))
    source.write_bytes(content)
    look = clean(source, full, thumb)
    return Image.open(io.BytesIO(full.read_bytes())), Image.open(io.BytesIO(thumb.read_bytes())), look


def flag() -> Image.Image:
    """80 × 40, each corner another colour."""
    picture = Image.new("RGB", (80, 40), "white")
    pen = ImageDraw.Draw(picture)
    for colour, (x, y) in CORNERS.items():
        pen.rectangle((x - 12, y - 12, x + 12, y + 12), fill=colour)
    return picture


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_stands_upright_however_the_phone_was_held(orientation: int, tmp_path: Path) -> None:
    turned = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }.get(orientation)
    held = flag() if turned is None else flag().transpose(turned)
    exif = held.getexif()
    exif[0x0112] = orientation
    full, thumb, _ = made(encoded(held, exif=exif, quality=95, subsampling=0), tmp_path)
    assert full.size == thumb.size == (80, 40)
    for colour, (x, y) in CORNERS.items():
        wanted = Image.new("RGB", (1, 1), colour).getpixel((0, 0))
        assert all(abs(a - b) < 60 for a, b in zip(full.getpixel((x, y)), wanted, strict=True)), colour  # type: ignore[arg-type]


def test_sizes(tmp_path: Path) -> None:
    full, thumb, _ = made(encoded(scene(random.Random(1), (5000, 2500))), tmp_path)
    assert (full.size, thumb.size) == ((FULL_SIDE, FULL_SIDE // 2), (THUMB_SIDE, THUMB_SIDE // 2))
    full, _, _ = made(encoded(scene(random.Random(1), (200, 3000))), tmp_path)
    assert full.size == (171, 2560)


def test_sixteen_bits_keep_their_shade_and_clear_ones_lie_on_white(tmp_path: Path) -> None:
    full, _, _ = made(encoded(Image.new("I;16", (40, 30), 0x8000), "PNG"), tmp_path)
    assert abs(full.getpixel((5, 5))[0] - 0x80) < 4  # type: ignore[index]
    full, _, _ = made(encoded(Image.new("RGBA", (40, 30), (0, 0, 0, 0)), "PNG"), tmp_path)
    assert min(full.getpixel((5, 5))) > 250  # type: ignore[arg-type]


def test_a_profile_goes_and_the_colours_stay(tmp_path: Path) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    grey = Image.new("RGB", (32, 32), (90, 140, 200))
    plain, _, _ = made(encoded(grey, quality=95), tmp_path)
    told, _, _ = made(encoded(grey, quality=95, icc_profile=srgb), tmp_path)
    assert "icc_profile" not in told.info
    assert all(abs(a - b) <= 4 for a, b in zip(plain.getpixel((9, 9)), told.getpixel((9, 9)), strict=True))  # type: ignore[arg-type]


def test_the_same_scene_is_near_and_another_is_far() -> None:
    def look(picture: Image.Image) -> int:
        shades = picture.convert("L").resize((COLUMNS, ROWS), Image.Resampling.BOX).tobytes()
        found = look_of(shades)
        assert found is not None
        return found

    for seed in range(20):
        picture = scene(random.Random(seed), (640, 480))
        marked = picture.copy()
        ImageDraw.Draw(marked).text((8, 460), "2026-06-01 08:30", fill="white")
        again = Image.open(io.BytesIO(encoded(marked.resize((400, 300)), quality=60)))
        assert distance(look(picture), look(again)) <= NEAR, seed
        other = scene(random.Random(seed + 1000), (640, 480))
        assert distance(look(picture), look(other)) > 2 * NEAR, seed


def test_what_differs_little_is_found_by_its_bands() -> None:
    dice = random.Random(3)
    for _ in range(500):
        look = dice.getrandbits(64)
        near = look
        for bit in dice.sample(range(64), 7):
            near ^= 1 << bit
        assert distance(look, near) == 7 >= NEAR
        assert set(probes_of(look)) & set(bands_of(near))
        assert len(set(bands_of(look))) == 4
        assert len(set(probes_of(look))) == 4 * 17


def test_a_flat_picture_looks_like_nothing() -> None:
    assert look_of([7] * 72) is None
    assert look_of([255, *[0] * 71]) == 1 << 63
    with pytest.raises(ValueError, match="72"):
        look_of([0] * 71)


@pytest.mark.parametrize(
    ("code", "said", "reason"),
    [
        (1, "damaged", "damaged"),
        (1, "too_many_pixels", "too_many_pixels"),
        (-signal.SIGXCPU, "", "too_large"),
        (-signal.SIGSEGV, "", "damaged"),
        (-signal.SIGABRT, "", "damaged"),
    ],
)
def test_an_end_that_is_the_pictures_fault(code: int, said: str, reason: str) -> None:
    with pytest.raises(BrokenImage) as broken:
        outcome(code, said)
    assert broken.value.reason == reason


@pytest.mark.parametrize(
    ("code", "said"), [(-signal.SIGTERM, ""), (-signal.SIGKILL, ""), (1, ""), (2, "x"), (0, ""), (0, "ok nonsense")]
)
def test_an_end_that_says_nothing_about_the_picture(code: int, said: str) -> None:
    """A service that is stopped, or whose files are just replaced, must not throw a good photo away."""
    with pytest.raises(WorkshopClosed):
        outcome(code, said)


def test_a_full_disk_and_a_good_end() -> None:
    with pytest.raises(OSError, match="No space"):
        outcome(1, "no_room")
    assert outcome(0, "ok 00000000000000ff") == 255
    assert outcome(0, "ok -") is None


HELD = """
import os, socket, sys
from services.chassis.pictures.confine import confine
tries = [
    lambda: socket.socket(), lambda: socket.create_connection(("127.0.0.1", 1)), os.fork,
    lambda: os.execv("/bin/true", ["true"]), lambda: os.kill(os.getppid(), 0), lambda: bytearray(2 << 30),
    lambda: [open("/dev/null") for _ in range(64)],
]
assert confine(), "no filter"
for one in tries:
    try:
        one()
    except (OSError, MemoryError) as error:
        print(type(error).__name__)
    else:
        print("done")
"""


def test_the_child_can_open_and_start_nothing() -> None:
    ran = subprocess.run([sys.executable, "-I", "-c", HELD], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout.split() == [*["PermissionError"] * 5, "MemoryError", "OSError"]
