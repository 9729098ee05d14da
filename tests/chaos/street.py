"""The sample street with limits of a minute or two, so that clocks run out, remind and call up during a short run."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from tests.chaos.stand import CHECKOUT

SHORT = {
    "t0_response": "1um",
    "t1_response": "1um",
    "street_answer": "2um",
    "file": "2um",
    "dispatch": "2um",
    "response": "2um",
    "district_response": "2um",
}
"""Stage limits, in minutes of the wall clock, whatever the filing condition says about working time."""
_MINUTES = re.compile(r'"\d+um"')
_LIMIT = re.compile(r"^(\w+) = \{ wall = \"[^\"]+\", other = \"[^\"]+\" \}$", re.MULTILINE)


def hasty_street(folder: Path) -> Path:
    """Write it below `folder`; answers what GRID_SAMPLE_DIR should name."""
    deploy = CHECKOUT / "deploy"
    sample = folder / "sample" / "street"
    shutil.copytree(deploy / "sample" / "fengcheng", sample)
    shutil.copytree(deploy / "rulebooks", folder / "rulebooks")
    for file in (folder / "rulebooks").glob("*.toml"):
        file.write_text(_hasty(file.read_text()))
    return sample


def _hasty(rulebook: str) -> str:
    shortened = _MINUTES.sub('"2um"', rulebook)
    return _LIMIT.sub(_limit, shortened)


def _limit(found: re.Match[str]) -> str:
    limit = SHORT.get(found[1])
    return f'{found[1]} = {{ wall = "{limit}", other = "{limit}" }}' if limit else found[0]
