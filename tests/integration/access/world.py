"""A street in which everybody has a counterpart elsewhere: the same post over another place, or for another unit.

Whatever a request would change is taken back as soon as it has been answered, so that all of them meet the same world.
"""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from PIL import Image
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.events.report import PhotoV1
from services.chassis.auth import Authenticator, AuthSettings, admin
from services.chassis.auth.sessions import Device, open_session
from services.chassis.clock import SystemClock, monotonic
from services.chassis.db import Database, move_clock
from services.chassis.directory import DirectoryCache
from services.chassis.directory.load import load_street
from services.chassis.directory.write import give_post
from services.chassis.http_client import ServiceClient
from services.chassis.ids import SystemIds
from services.chassis.pictures.folder import FolderStore
from services.chassis.pictures.workshop import Workshop
from services.chassis.secretbox import SecretBox
from services.chassis.settings import DatabaseSettings, DispatchHttpSettings
from services.chassis.telemetry import Metrics
from services.dispatch.api import Wiring
from services.dispatch.app import PostsOf, make_app
from services.dispatch.forward import Forwarder
from services.dispatch.live import Feed
from services.dispatch.media import EvidenceFiles
from services.dispatch.settings import DispatchSettings
from services.dispatch.usecases.act import Wish, act
from services.dispatch.usecases.ground import Ground
from services.escalation.app import http_app as escalation_app
from services.governance.acts import Actor, Inputs, Post
from services.governance.cycle import Action, Role
from services.intake.app import http_app as intake_app
from services.intake.store.moment import DatabaseClock
from tests.integration.access.asking import HOST, ORIGIN, Answer, Call, ask
from tests.integration.dispatch.conftest import Street
from tests.support.sample import SAMPLE

TOKEN = "the-services-token-of-these-tests"
WHILE_SINCE = timedelta(minutes=2)
"""So long ago has happened what the table tells of: nothing can be undone any more, however slow the machine."""
ANYBODY = "anonymous"
MACHINE = "open311"
OWN = {
    "RP": "jumin01",
    "GW": "wangge01",
    "GS": "zhibu01",
    "CS": "shequ01",
    "MU": "chengyuan-xuexiao",
    "IC": "shouli02",
    "DP": "paiqian",
    "DC": "zhiban",
    "HU": "zhifadui",
    "SL": "lingdao",
    "SC": "gongwei",
    "VF": "hecha",
    "DI": "quji",
    "EV": "pingjia",
    "AD": "admin",
    "AU": "audit",
}
"""Who holds each post in the sample street. The case's reporter is the resident."""
AWAY_STREET = "441802002"
AWAY = {
    role: Post(
        role, {Role.GRID_WORKER: f"{AWAY_STREET}00101", Role.GRID_SECRETARY: f"{AWAY_STREET}00101"}.get(role, "")
    )
    for role in Role
}
AWAY |= {
    role: Post(role, AWAY_STREET)
    for role in (Role.INTAKE_CLERK, Role.DISPATCHER, Role.DUTY_CHIEF, Role.STREET_LEADER, Role.VERIFIER)
}
AWAY |= {role: Post(role, AWAY_STREET) for role in (Role.STREET_COMMITTEE, Role.EVALUATOR, Role.ADMINISTRATOR)}
AWAY[Role.COMMUNITY_SECRETARY] = Post(Role.COMMUNITY_SECRETARY, f"{AWAY_STREET}001")
AWAY[Role.HANDLING_UNIT] = Post(Role.HANDLING_UNIT, unit="ranqi")
AWAY[Role.MEMBER_UNIT] = Post(Role.MEMBER_UNIT, unit="chengyuan-yinhang")
AWAY[Role.AUDITOR] = Post(Role.AUDITOR, AWAY_STREET)
SINCE = datetime(2025, 1, 1, tzinfo=UTC)


class Rehearsal(Database):
    """A database in which, once `rehearsing`, nothing stays."""

    rehearsing = False

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        async with super().transaction() as tx:
            yield tx
            if self.rehearsing:
                await tx.rollback()


@dataclass(slots=True)
class World:
    """The three services and whoever may ask them. `names`: what stands for a path's parameters, by situation."""

    db: Rehearsal
    street: Street
    apps: dict[str, FastAPI]
    own: dict[str, Mapping[str, str]] = field(default_factory=dict)  # headers by role
    away: dict[str, Mapping[str, str]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)

    async def ask(self, service: str, call: Call) -> Answer:
        return await ask(self.apps[service], call)


@asynccontextmanager
async def world_at(url: str, home: Path) -> AsyncIterator[World]:
    """Build it in an empty migrated database; `home` takes pictures."""
    ids = SystemIds()
    db = Rehearsal(DatabaseSettings(url=url, pool_size=4), "access")
    async with AsyncExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("GRID_SERVICE_TOKEN", TOKEN)
        stack.push_async_callback(db.close)
        async with db.transaction() as tx:
            await load_street(tx, SAMPLE, ids)
        cache = DirectoryCache(db)
        world = World(db, Street(db, cache, ids), {})
        await _people(world, cache)
        clock = DatabaseClock(db, SystemClock())
        await clock.refresh()
        world.apps["intake"] = intake_app(db, cache, clock, home)
        world.apps["escalation"] = escalation_app(db, cache, SecretBox(bytes(32)))
        world.apps["dispatch"] = _dispatch(world, cache, home, stack)
        for app in world.apps.values():
            await stack.enter_async_context(app.router.lifespan_context(app))
        await _happenings(world)
        async with db.transaction() as tx:
            await move_clock(tx, WHILE_SINCE)
        db.rehearsing = True
        yield world


def _dispatch(world: World, cache: DirectoryCache, home: Path, stack: AsyncExitStack) -> FastAPI:
    db, ids = world.db, world.street.ids
    app = make_app(DispatchHttpSettings(), Ground(db, cache, ids, Metrics("dispatch")))
    auth = Authenticator(db, PostsOf(cache), ids, service_token=SecretStr(TOKEN))
    others = (world.apps["intake"], world.apps["escalation"])
    clients = [
        ServiceClient(str(n), f"http://{HOST}", SecretStr(TOKEN), transport=httpx.ASGITransport(other))
        for n, other in enumerate(others)
    ]
    forwarder = Forwarder(*clients)
    files = EvidenceFiles(FolderStore(home / "evidence"), home / "bench", Workshop(), ids)
    app.state.auth = auth
    app.state.clock = monotonic
    app.state.wiring = Wiring(db, cache, ids, Feed(db, cache, DispatchSettings()), files, forwarder)
    stack.push_async_callback(forwarder.close)
    stack.callback(auth.close)
    return app


# --- who asks --------------------------------------------------------------------------------------------------------
async def _people(world: World, cache: DirectoryCache) -> None:
    ids = world.street.ids
    await cache.refresh()
    async with world.db.transaction() as tx:
        for role in Role:
            account = await admin.create_account(tx, ids, login=f"away-{role.value}", name=role.value, password=None)
            await give_post(tx, account, AWAY[role], SINCE)
            world.away[role.value] = await _session(tx, ids, account)
            world.own[role.value] = await _session(tx, ids, await world.street.account(OWN[role.value]))
        made = await admin.create_token(tx, ids, name="open311", scope=admin.OPEN311)
    world.own[MACHINE] = {"authorization": f"Bearer {made.token}"}
    world.own[ANYBODY] = {}
    await cache.refresh()


async def _session(tx: AsyncConnection, ids: SystemIds, account: str) -> Mapping[str, str]:
    token = ids.token(32)
    await open_session(tx, token, account, AuthSettings(), Device("127.0.0.1", "test"))
    return {"cookie": f"sid={token}", "origin": ORIGIN}


# --- what there is ---------------------------------------------------------------------------------------------------
async def _happenings(world: World) -> None:
    street = world.street
    report_id, photo = await _reported(world)
    resident: dict[str, Any] = {
        "reporter_account": await street.account(OWN["RP"]),
        "reporter_role": Role.REPORTER,
        "staff": False,
    }
    plain, delicate = await street.category(), await street.category(restricted=True)
    cases = {
        "called": await street.opened(category=plain, **resident),
        "handling": await street.opened(category=plain, report_id=report_id, photos=(photo,), **resident),
        "closed": await street.opened(category=plain, **resident),
        "restricted": await street.opened(category=delicate, **resident),
    }
    for name in ("called", "handling"):
        await _to_street(world, cases[name])
    await _to_units(world, cases["handling"])
    await _do(world, "wangge01", cases["closed"], Action.SELF_RESOLVE_START)
    done = {"means": "sao", "note": "扫了"}
    await _do(world, "wangge01", cases["closed"], Action.SELF_RESOLVE_DONE, **done)
    world.names |= cases
    for name, case_no in cases.items():
        world.versions[name] = await _version(world, case_no)
    await _papers(world)


async def _to_street(world: World, case_no: str) -> None:
    await _do(world, "zhibu01", case_no, Action.CALL_UP, reason="no_means")
    await _do(world, "shequ01", case_no, Action.CALL_UP, reason="no_enforcement", note="x")


async def _to_units(world: World, case_no: str) -> None:
    shown = json.loads((await world.ask("dispatch", _get(f"/api/v1/cases/{case_no}", world.own["DC"]))).body)
    filing = next(offer for offer in shown["actions"] if offer["action"] == "file")
    condition = next(each for each in filing["inputs"] if each["name"] == "condition")["value"]
    await _do(world, "zhiban02", case_no, Action.FILE, condition=condition)
    units = {"lead_unit": "zhifadui", "co_units": ("chengyuan-xuexiao",)}
    await _do(world, "shouli", case_no, Action.DISPATCH, reason="line_unfit", **units)
    await _do(world, "zhifadui", case_no, Action.RESPOND, means="phone")


async def _do(world: World, login: str, case_no: str, action: Action, **inputs: Any) -> None:
    street = world.street
    account = await street.account(login)
    actor = Actor(account, street.cache.current().posts_of(account, await street.now()))
    wish = Wish(case_no, action, Inputs(**inputs), await _version(world, case_no), str(uuid4()))
    async with world.db.transaction() as tx:
        await act(tx, wish, actor, street.cache, street.ids)


async def _version(world: World, case_no: str) -> int:
    found = await world.street.scalar("SELECT version FROM dispatch.cases WHERE case_no = :no", no=case_no)
    assert isinstance(found, int)
    return found


async def _reported(world: World) -> tuple[str, PhotoV1]:
    """A report of the resident's with a photo."""
    picture = _picture()
    named = {"id": "p1", "sha256": sha256(picture).hexdigest(), "bytes": len(picture), "mime": "image/jpeg"}
    place = next(p for p in world.street.cache.current().places.values() if p.lng is not None)
    report = {
        "category": {"scheme": "GB/T 30428.2", "version": "2013", "code": "0110"},
        "text": "门口垃圾",
        "position": {"lng": place.lng, "lat": place.lat, "crs": "wgs84", "accuracy_m": 8},
        "photos": [named],
    }
    made = await _made(world, "intake", "POST", "/api/v1/reports", "RP", report)
    world.names["report_id"] = report_id = made["id"]
    world.names["token"] = made["track_url"].rsplit("/", 1)[-1]
    world.names["service_request_id"] = made["receipt_no"]
    await _sent(world, "intake", f"/api/v1/reports/{report_id}/photos/p1", "RP", picture)
    await _made(world, "intake", "PUT", f"/api/v1/reports/{report_id}/reporter", "RP", {"name": "王小明"})
    return report_id, PhotoV1.model_validate(named)


async def _papers(world: World) -> None:
    """Evidence on the case being handled, an endpoint and a delivery, a lent post."""
    picture = _picture()
    path = f"/api/v1/cases/{world.names['handling']}/evidence/e1"
    await _sent(world, "dispatch", path, "HU", picture)
    hook = {"url": "https://platform.example.org/hook", "events": ["case.closed"], "name": "platform"}
    made = await _made(world, "escalation", "POST", "/api/v1/webhooks", "AD", hook)
    world.names["endpoint_id"] = made["id"]
    tested = await _made(world, "escalation", "POST", f"/api/v1/webhooks/{made['id']}/test", "AD", {})
    world.names["delivery_id"] = tested["delivery_id"]
    place = {"scheme": "http", "host": "10.0.0.5", "port": 9000, "reason": "区平台在内网"}
    allowed = await _made(world, "escalation", "POST", "/api/v1/webhooks/allowed", "AD", place)
    robot = {"kind": "wecom", "name": "值班群", "url": "https://robot.example.org/send?key=k"}
    world.names["robot_id"] = (await _made(world, "escalation", "POST", "/api/v1/notices/robots", "AD", robot))["id"]
    robot_test = f"/api/v1/notices/robots/{world.names['robot_id']}/test"
    world.names["message_id"] = (await _made(world, "escalation", "POST", robot_test, "AD", {}))["id"]
    world.names["entry_id"] = allowed["id"]
    world.names["login"] = "wangge02"
    until = (await world.street.now() + timedelta(days=1)).isoformat()
    lent = {"account": "jumin01", "role": "GW", "area": "44180200100102", "until": until}
    world.names["delegation_id"] = (await _made(world, "dispatch", "POST", "/api/v1/delegations", "AD", lent))["id"]


async def _made(world: World, service: str, method: str, path: str, role: str, body: object) -> dict[str, Any]:
    headers = {**world.own[role], "content-type": "application/json", "idempotency-key": str(uuid4())}
    answer = await world.ask(service, Call(method, path, headers, json.dumps(body).encode()))
    assert answer.status in (200, 201, 202), answer.body
    made: dict[str, Any] = json.loads(answer.body)
    return made


async def _sent(world: World, service: str, path: str, role: str, picture: bytes) -> None:
    answer = await world.ask(service, Call("PUT", path, {**world.own[role], "content-type": "image/jpeg"}, picture))
    assert answer.status in (200, 201), answer.body


def _get(path: str, headers: Mapping[str, str]) -> Call:
    return Call("GET", path, headers)


def _picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(out, "JPEG")
    return out.getvalue()
