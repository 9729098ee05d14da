"""Pictures of pages for docs/images."""

from __future__ import annotations

import io
import os
from pathlib import Path

from PIL import Image

from tests.e2e.browser.conftest import Screen

COLOURS = 192
"""Of a page of few tones: enough for its red to stay red, and a picture is still below about 100 KB."""


def keep(screen: Screen, name: str) -> None:
    """Where `GRID_PICTURES` says, beside the test's results otherwise."""
    folder = Path(os.environ.get("GRID_PICTURES") or "test-results/pictures")
    folder.mkdir(parents=True, exist_ok=True)
    for told in (".van-toast", ".el-message"):
        screen.page.locator(told).last.wait_for(state="hidden")
    screen.page.wait_for_timeout(600)  # sheets have stopped moving
    shot = Image.open(io.BytesIO(screen.page.screenshot()))
    few = shot.convert("RGB").quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(folder / f"{name}.png", optimize=True)
