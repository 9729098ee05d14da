"""A crowd of phones, each with the shipped outbox: what they are to send, the process they run in, what they say."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import random
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from PIL import Image

from tests.e2e.town import Person, Town
from tests.support.stand import CHECKOUT

WEB: Final = CHECKOUT / "services" / "intake" / "web"
CONFIG: Final = "tests/crowd/vite.config.ts"
ACCOUNTS: Final = 10
LARGE_EVERY: Final = 8
"""Every so many-th photo needs several pieces."""
MARK: Final = "风雨中上报"


@dataclass(frozen=True, slots=True)
class Promise:
    """One report that a phone has taken: it has to arrive, once, with these photos (by id, their SHA-256)."""

    key: str
    text: str
    login: str
    photos: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Plan:
    """How many phones, how many reports and photos each, and over how many seconds they are written."""

    name: str
    seed: int
    phones: int
    reports: int = 1
    photos: int = 1
    within_s: float = 8.0
    speed: int = 15
    deaths: int = 1
    lost: int = 0
    planted: str | None = None


@dataclass
class Crowd:
    """The phones at work. `said` grows while they are."""

    promises: list[Promise]
    process: subprocess.Popen[str]
    said: list[dict[str, Any]] = field(default_factory=list)
    _reader: threading.Thread | None = None

    def receipts(self) -> dict[str, str]:
        """Report id by key, of those that got their receipt."""
        return {line["id"]: line["receipt"]["id"] for line in self.said if line["kind"] == "receipt"}

    def stuck(self) -> list[dict[str, Any]]:
        """What needs a person, and photos that were refused: neither may happen here."""
        return [line for line in self.said if line["kind"] != "receipt" or line["refused"]]

    def finish(self, patience_s: float) -> None:
        """Wait until every outbox is empty. AssertionError with what they complained about when it does not end."""
        try:
            code = self.process.wait(patience_s)
        except subprocess.TimeoutExpired:
            through = len(self.receipts())
            raise AssertionError(f"{through} of {len(self.promises)} through within {patience_s:.0f} s") from None
        finally:
            self.process.kill()
            self.process.wait()
            if self._reader is not None:
                self._reader.join(10)
            if self.process.stdout is not None:
                self.process.stdout.close()
        assert code == 0, f"the phones ended with {code}"

    def listen(self) -> None:
        """Begin to take down what they say."""
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(json.loads(line))


def bundle(folder: Path) -> Path:
    """The shipped outbox and the phones around it as one file for Node."""
    vite = CHECKOUT / "services" / "node_modules" / "vite" / "bin" / "vite.js"
    words = ("node", str(vite), "build", "--config", CONFIG, "--outDir", str(folder))
    subprocess.run(words, cwd=WEB, env=_environment(), check=True, capture_output=True)
    return folder / "phones.js"


def start(town: Town, script: Path, plan: Plan) -> Crowd:
    """Sign everybody in and let them begin."""
    rng = random.Random(plan.seed)
    people = [town.person(login) for login in _logins(town)[: plan.phones]]
    phones, promises = [], []
    for number in range(plan.phones):
        person = people[number % len(people)]
        place = town.place_of(person.login)
        own = [_order(rng, plan, f"{number}-{each}", place) for each in range(plan.reports)]
        promises += [_promise(order, person.login) for order in own]
        phones.append({"account": person.session["account_id"], "cookie": _cookie(person), "orders": own})
    orders: dict[str, Any] = {"address": town.stand.streets.intake, "phones": phones, "planted": plan.planted}
    orders |= {"speed": plan.speed, "deaths": plan.deaths, "lost": plan.lost}
    process = subprocess.Popen(
        ["node", str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=_environment()
    )
    crowd = Crowd(promises, process)
    crowd.listen()
    assert process.stdin is not None
    json.dump(orders, process.stdin)
    process.stdin.close()
    return crowd


def _environment() -> dict[str, str]:
    """The project's own Node comes first."""
    own = CHECKOUT / ".venv" / "bin"
    return {**os.environ, "PATH": f"{own}{os.pathsep}{os.environ['PATH']}"}


def _logins(town: Town) -> Sequence[str]:
    workers = [one["login"] for one in town.stand.accounts() if any(post["role"] == "GW" for post in one["posts"])]
    return workers[:ACCOUNTS]


def _cookie(person: Person) -> str:
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in person.intake.cookies.jar)


def _order(rng: random.Random, plan: Plan, number: str, place: Mapping[str, Any]) -> dict[str, Any]:
    """A report as the form makes it, with its photos."""
    photos = [_photo(rng) for _ in range(plan.photos)]
    now = datetime.now(UTC).isoformat()
    report = {
        "category": None,
        "nature": "complaint",
        "text": f"{MARK} {plan.name} {number}",
        "position": {"lng": place["lng"], "lat": place["lat"], "crs": "wgs84", "accuracy_m": 9, "at": now},
        "place_words": place["name"],
        "danger": False,
        "direct": False,
        "occurred_at": now,
        "client_at": now,
        "on_the_spot": None,
        "joins": None,
        "photos": [{key: one[key] for key in ("id", "mime", "sha256", "bytes")} for one in photos],
    }
    kept = [{key: one[key] for key in ("id", "mime", "sha256", "base64")} for one in photos]
    after = int(rng.uniform(0, plan.within_s) * 1000)
    return {"id": _id(rng), "after": after, "report": report, "photos": kept}


def _promise(order: Mapping[str, Any], login: str) -> Promise:
    photos = {one["id"]: one["sha256"] for one in order["photos"]}
    return Promise(order["id"], order["report"]["text"], login, photos)


def _photo(rng: random.Random) -> dict[str, Any]:
    side = 640 if rng.randrange(LARGE_EVERY) == 0 else 96
    out = io.BytesIO()
    Image.frombytes("L", (side, side), rng.randbytes(side * side)).convert("RGB").save(out, "JPEG", quality=90)
    data = out.getvalue()
    named = {"id": _id(rng), "mime": "image/jpeg", "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    return {**named, "base64": base64.b64encode(data).decode()}


def _id(rng: random.Random) -> str:
    return str(UUID(int=rng.getrandbits(128), version=4))
