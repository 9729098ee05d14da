"""The documentation agrees with the code: links resolve, settings and targets exist, generated pages are fresh."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.chassis.clock import SystemClock
from services.chassis.signing import encode_secret, public_key, sign

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    page
    for folder in (ROOT, *(ROOT / name for name in ("docs", "services", "schemas", "deploy", "migrations")))
    for page in (folder.glob("*.md") if folder == ROOT else folder.rglob("*.md"))
    if "node_modules" not in page.parts
)
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
SETTING = re.compile(r'"((?:GRID|DATABASE|KAFKA)_[A-Z0-9_]+)"')
OURS = ("GRID_", "DATABASE_", "KAFKA_")
PICTURE_BYTES = 250_000


def words_of(page: Path) -> str:
    """The page without its code."""
    return FENCE.sub("", page.read_text("utf-8"))


def anchors(page: Path) -> set[str]:
    """The names that headings get."""
    heads = re.findall(r"^#+ +(.+)$", words_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}


@pytest.mark.parametrize("name", NAMES)
def test_every_relative_link_resolves(name: str) -> None:
    page = ROOT / name
    broken = []
    for link in LINK.findall(words_of(page)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            broken.append(link)
    assert not broken


def test_every_page_is_linked() -> None:
    linked = {
        (page.parent / link.partition("#")[0]).resolve()
        for page in PAGES
        for link in LINK.findall(words_of(page))
        if not re.match(r"[a-z]+:", link)
    }
    alone = [str(p.relative_to(ROOT)) for p in PAGES if p not in linked and p != ROOT / "README.md"]
    assert not alone


def test_every_decision_is_in_the_list() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = re.findall(r"\]\((\d{4}-[a-z0-9-]+\.md)\)", (folder / "README.md").read_text("utf-8"))
    assert listed == sorted(page.name for page in folder.glob("[0-9]*.md"))
    numbers = [int(name[:4]) for name in listed]
    assert numbers == list(range(1, len(numbers) + 1))


def test_every_decision_says_what_enforces_it() -> None:
    pages = (ROOT / "docs" / "decisions").glob("[0-9]*.md")
    assert not [page.name for page in pages if "**Enforced by.**" not in page.read_text("utf-8")]


def test_every_setting_is_documented() -> None:
    sources = (file for file in (ROOT / "services").rglob("*.py") if "node_modules" not in file.parts)
    used = {name for file in sources for name in SETTING.findall(file.read_text("utf-8"))}
    page = (ROOT / "docs" / "reference" / "settings.md").read_text("utf-8")
    rows = re.findall(r"^\| `([A-Z0-9_]+)` \|.*\| (.*) \|$", page, re.MULTILINE)
    assert used - {name for name, _ in rows} == set()
    assert not [name for name, meaning in rows if not meaning.strip()]


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_that_a_page_names_exists(name: str) -> None:
    known = set(re.findall(r"`([A-Z0-9_]+)`", (ROOT / "docs" / "reference" / "settings.md").read_text("utf-8")))
    named = set(re.findall(r"`((?:GRID|DATABASE|KAFKA)_[A-Z0-9_]*[A-Z0-9])(?:=[^`]*)?`", words_of(ROOT / name)))
    assert {one for one in named if one not in known} == set()


@pytest.mark.parametrize("name", NAMES)
def test_every_make_target_that_a_page_names_exists(name: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    text = (ROOT / name).read_text("utf-8")
    asked = set(re.findall(r"`make ([a-z]+)", text)) | set(re.findall(r"^make ([a-z]+)", text, re.MULTILINE))
    assert asked - targets == set()


@pytest.mark.parametrize("name", NAMES)
def test_every_grid_command_that_a_page_names_exists(name: str) -> None:
    page = (ROOT / "docs" / "reference" / "commands.md").read_text("utf-8")
    known = {words.split()[1] for words in re.findall(r"^\| `(grid [a-z -]+)`", page, re.MULTILINE)}
    asked = set(re.findall(r"(?:`|^|bin/)grid ([a-z-]+)", (ROOT / name).read_text("utf-8"), re.MULTILINE))
    assert asked - known == set()


def test_the_page_on_testing_tells_every_benchmark() -> None:
    table = (ROOT / "tests" / "bench" / "__main__.py").read_text("utf-8")
    names = set(re.findall(r'^    "(\w+)": \w+\.run', table, re.M))
    assert names
    assert names <= set(re.findall(r"^\| `(\w+)` \|", (ROOT / "docs" / "testing.md").read_text("utf-8"), re.M))


def test_the_makefile_tells_every_target() -> None:
    text = (ROOT / "Makefile").read_text("utf-8")
    (listed,) = re.findall(r"^\.PHONY: (.+)$", text, re.MULTILINE)
    assert not [target for target in listed.split() if not re.search(rf"^{target}:.*## \w", text, re.MULTILINE)]


def test_pages_name_no_place_of_the_writer() -> None:
    """No folder of somebody's machine, no host a package came from: they mean nothing to a reader."""
    foreign = re.compile(r"/(?:home|root|work|Users)/|pypi\.|npmjs|mvnrepository|repo1?\.maven")
    assert not [name for name in NAMES if foreign.search((ROOT / name).read_text("utf-8"))]


def test_pictures_are_there_and_small() -> None:
    pictures = [file for file in (ROOT / "docs" / "images").iterdir() if file.suffix == ".png"]
    assert pictures
    assert not [file.name for file in pictures if file.stat().st_size >= PICTURE_BYTES]


def test_generated_pages_are_fresh() -> None:
    told = subprocess.run(
        [sys.executable, "docs/generate.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stdout + told.stderr


def example(name: str = "genuine") -> Callable[[str, dict[str, str], bytes], bool]:
    """One of the functions that the page on webhooks shows its readers."""
    page = (ROOT / "docs" / "how-to" / "receive-webhooks.md").read_text("utf-8")
    names: dict[str, Any] = {}
    for code in re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL):
        exec(code, names)
    found: Callable[[str, dict[str, str], bytes], bool] = names[name]
    return found


def changed(headers: dict[str, str]) -> Iterator[dict[str, str]]:
    """The headers with one thing wrong at a time."""
    yield {**headers, "webhook-id": "msg_other"}
    yield {**headers, "webhook-timestamp": "1700000000"}
    yield {**headers, "webhook-signature": "v1," + base64.b64encode(bytes(32)).decode()}


def test_the_receiver_in_the_documentation_checks_signatures() -> None:
    secret, old, body = b"k" * 24, b"o" * 24, b'{"type":"case.closed"}'
    headers = sign([old, secret], "msg_1", SystemClock().now().astimezone(UTC), body)
    genuine = example()
    assert genuine(encode_secret(secret), headers, body)
    assert genuine(encode_secret(old), headers, body)
    assert not genuine(encode_secret(b"x" * 24), headers, body)
    assert not genuine(encode_secret(secret), headers, body + b" ")
    assert not [wrong for wrong in changed(headers) if genuine(encode_secret(secret), wrong, body)]


def test_the_receiver_in_the_documentation_checks_by_public_key_too() -> None:
    old, new, body = bytes(range(32)), bytes(range(32, 64)), b'{"type":"case.closed"}'
    headers = sign([b"k" * 24], "msg_1", SystemClock().now().astimezone(UTC), body, keys=[new, old])
    genuine = example("genuine_by_public_key")
    assert genuine(public_key(old), headers, body)
    assert genuine(public_key(new), headers, body)
    assert not genuine(public_key(bytes(32)), headers, body)
    assert not genuine(public_key(new), headers, body + b" ")
    assert not genuine(public_key(new), {**headers, "webhook-id": "msg_other"}, body)


def test_the_example_follows_the_specification() -> None:
    """A signature made by hand, as the specification words it."""
    key, stamp, body = b"k" * 24, str(int(datetime.now(UTC).timestamp())), b"{}"
    mac = base64.b64encode(hmac.new(key, f"msg_1.{stamp}.".encode() + body, hashlib.sha256).digest()).decode()
    headers = {"webhook-id": "msg_1", "webhook-timestamp": stamp, "webhook-signature": f"v1,{mac}"}
    assert example()("whsec_" + base64.b64encode(key).decode(), headers, body)
