"""What Lighthouse says of the phone form, signed in, on a middling phone with a slow network (simulated throttling).

The reports stay in bench/lighthouse, to be read by people. A machine that does other things at the same time makes a
page look slow: it runs alone, in `make long`.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.browser.conftest import CHROMIUM
from tests.e2e.town import Town
from tests.support.stand import CHECKOUT, PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.timeout(900)]
RUNS = 5
LEAST = 0.95
CATEGORIES = ("performance", "accessibility", "best-practices")
REPORTS = CHECKOUT / "bench" / "lighthouse"
LIGHTHOUSE = CHECKOUT / "services" / "node_modules" / "lighthouse" / "cli" / "index.js"


def test_the_form_is_fast_accessible_and_well_made(town: Town, tmp_path: Path) -> None:
    page = f"{town.stand.streets.intake}/m/"
    headers = tmp_path / "headers.json"
    headers.write_text(json.dumps({"Cookie": f"sid={session(town.stand.streets.intake)}"}))
    shutil.rmtree(REPORTS, ignore_errors=True)
    REPORTS.mkdir(parents=True)
    runs = [judged(page, headers, REPORTS / f"form-{run}") for run in range(1, RUNS + 1)]
    medians = {name: statistics.median(run["categories"][name]["score"] for run in runs) for name in CATEGORIES}
    weak = [audit["title"] for audit in runs[0]["audits"].values() if audit.get("score") == 0]
    (REPORTS / "medians.json").write_text(json.dumps(medians, indent=1) + "\n")
    assert min(medians.values()) >= LEAST, f"{medians}; look at {weak} in {REPORTS}"


def judged(page: str, headers: Path, report: Path) -> dict[str, Any]:
    """One run in a browser of its own; leaves an HTML and a JSON report."""
    words = (
        *("node", str(LIGHTHOUSE), page, "--quiet", f"--extra-headers={headers}", f"--output-path={report}"),
        *("--output=json", "--output=html", f"--only-categories={','.join(CATEGORIES)}"),
        *("--form-factor=mobile", "--throttling-method=simulate"),
        "--chrome-flags=--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage",
    )
    done = subprocess.run(
        words,
        env={
            "PATH": f"{CHECKOUT / '.venv' / 'bin'}:/usr/bin:/bin",
            "CHROME_PATH": CHROMIUM,
            "HOME": str(headers.parent),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(report.with_name(f"{report.name}.report.json").read_text())
    assert "runtimeError" not in found, found["runtimeError"]
    assert found["finalDisplayedUrl"] == page, "it judged another page"
    return found


def session(intake: str) -> str:
    """A grid worker's sign-in."""
    body = {"login": "wangge01", "password": PASSWORD}
    answer = httpx.post(f"{intake}/api/v1/session", json=body, headers={"origin": intake}, timeout=20)
    return str(answer.raise_for_status().cookies["sid"])
