"""Composition root of intake: each function builds one process; nothing else wires."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from fastapi import FastAPI
from pydantic import SecretStr

from schemas.api.intake import PHOTO_MAX_BYTES
from schemas.labels import Labels
from services.chassis.asgi import (
    CompressedReading,
    EdgeRules,
    Wording,
    create_app,
    database_check,
    folder_check,
    mount_spa,
    schema_check,
)
from services.chassis.asgi.pace import Pace
from services.chassis.asgi.wording import LANGUAGES
from services.chassis.auth import Authenticator, Person, session_router
from services.chassis.clock import SystemClock, monotonic
from services.chassis.db import Database
from services.chassis.directory import Directory, DirectoryCache
from services.chassis.directory.words import lent_posts
from services.chassis.housekeeping import RetentionSettings
from services.chassis.housekeeping.parts import housekeeper, housekeeping_part
from services.chassis.http_client import ServiceClient
from services.chassis.ids import SystemIds
from services.chassis.kafka import KafkaAddress
from services.chassis.outbox.parts import relay_parts
from services.chassis.pace import CALM
from services.chassis.pictures.settings import MediaSettings, picture_store
from services.chassis.pictures.workshop import Workshop
from services.chassis.serve import Part, Running
from services.chassis.settings import (
    DatabaseSettings,
    HomeSettings,
    IntakeHttpSettings,
    KafkaSettings,
    ServiceTokenSettings,
)
from services.chassis.streams.worker import StreamWorker
from services.chassis.strongbox import Strongbox
from services.chassis.telemetry import Metrics
from services.chassis.vitals import Vitals, standard_probes
from services.intake.agents import GROUP, TOPICS, Progress
from services.intake.api import (
    Room,
    deed_router,
    form_router,
    install_refusals,
    open_report_lane,
    photo_router,
    push_router,
    report_router,
    reporter_router,
)
from services.intake.api.open311 import add_open311
from services.intake.media import MediaFiles
from services.intake.pages import page_router
from services.intake.settings import IntakeSettings, PaceSettings
from services.intake.store.moment import DatabaseClock
from services.intake.store.retention import photo_chores, vault_sweeps
from services.intake.tables import SCHEMA, inbox, outbox
from services.intake.usecases.identity import Sealer, vault_sealer
from services.intake.usecases.photos import PhotoDesk
from services.intake.usecases.resealing import Resealing
from services.intake.usecases.submit import Submissions
from services.intake.usecases.vitals import PromiseProbe
from services.intake.usecases.words import PATIENCE, WordsFromDispatch

NEEDS_REVISION = "0009"
_RULES = EdgeRules(body_limit=PHOTO_MAX_BYTES + 64 * 1024)


async def serve() -> Running:
    """The HTTP process."""
    db = Database(DatabaseSettings(), "intake")
    cache, clock = DirectoryCache(db), DatabaseClock(db, SystemClock())
    app = http_app(db, cache, clock, HomeSettings().home)
    metrics: Metrics = app.state.metrics
    vitals = Vitals(db, (*standard_probes(SCHEMA, metrics), PromiseProbe(metrics)), metrics)
    parts = (Part("directory", cache.run, cache.pulse), Part("clock", clock.run), Part("vitals", vitals.run))
    return Running(parts, app, app.state.http, metrics, db.close)


def http_app(
    db: Database, cache: DirectoryCache, clock: DatabaseClock, home: Path, sealer: Sealer | None = None
) -> FastAPI:
    """The application around a database; photos lie below `home`. Opens nothing before its lifespan begins."""
    ids, own = SystemIds(), IntakeSettings()
    sealer = sealer or vault_sealer(home)
    submissions = Submissions(db, ids, sealer)
    kept = picture_store(MediaSettings(), home / "media")
    token = ServiceTokenSettings().token
    dispatch = ServiceClient("dispatch", own.dispatch_url, token or SecretStr(""), timeout=PATIENCE)
    words = WordsFromDispatch(dispatch)
    remember, hands = timedelta(days=own.photo_days), Workshop(own.photo_hands)
    photos = PhotoDesk(db, MediaFiles(home / "media"), kept, hands, ids, remember)
    room = Room(db, cache, clock, ids, submissions, photos, words)
    auth = Authenticator(db, cache, ids, service_token=token)
    wording = Wording({lang: Labels(lang) for lang in LANGUAGES})

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        submissions.start()
        yield
        await submissions.close()
        await words.close()
        auth.close()

    shelf = folder_check("photos", home / "media")
    pace = Pace(PaceSettings().budgets, monotonic)
    rules = replace(_RULES, pace=pace)
    checks = (database_check(db), schema_check(db, SCHEMA, NEEDS_REVISION), shelf)
    app = create_app("intake", IntakeHttpSettings(), checks, ids=ids, wording=wording, lifespan=life, rules=rules)
    app.add_middleware(CompressedReading)
    app.state.auth = auth
    app.state.pace = pace
    install_refusals(app, wording)
    _add_routes(app, room, sealer, wording)
    app.include_router(page_router(db, cache, clock, words))
    open_report_lane(app, room)
    add_open311(app, room, reading_needs_key=own.open311_read_key)
    mount_spa(app, "/m/", own.web_root)
    return app


def _add_routes(app: FastAPI, room: Room, sealer: Sealer, wording: Wording) -> None:
    """What the pages and other machines ask for."""
    for router in (
        report_router(room),
        photo_router(room),
        reporter_router(room, sealer),
        deed_router(room, sealer),
        push_router(room, sealer, wording),
        form_router(room),
        session_router(lambda one: post_words(one, room.directory), lambda one: lent_posts(one, room.directory)),
    ):
        app.include_router(router)


async def worker() -> Running:
    """The stream process: case facts become the reporter's view."""
    db, metrics = Database(DatabaseSettings(), "intake-worker"), Metrics("intake")
    address = KafkaAddress.parse(KafkaSettings().url)
    stream = StreamWorker(GROUP, TOPICS, Progress(), db, (inbox, outbox), address, SystemIds(), metrics, pace=CALM)
    return Running((Part("stream", stream.run, stream.pulse),), metrics=metrics, close=db.close)


async def relay() -> Running:
    """The relay process: outbox rows go to Kafka; beside it one of a service's relays keeps house."""
    db, metrics = Database(DatabaseSettings(), "intake-relay"), Metrics("intake")
    address, media, kept = KafkaAddress.parse(KafkaSettings().url), HomeSettings().home / "media", RetentionSettings()
    pictures = picture_store(MediaSettings(), media)
    chores = (*photo_chores(media, pictures, kept), Resealing(vault_sealer(HomeSettings().home)))
    keeper = housekeeper("intake", db, metrics, kept, sweeps=vault_sweeps(kept), others=chores, folder=media)
    parts = (*relay_parts("intake", db, outbox, address, metrics), housekeeping_part(keeper))
    return Running(parts, metrics=metrics, close=db.close)


def offline_app() -> FastAPI:
    """The application without its surroundings, for printing its description."""
    db = Database(DatabaseSettings(url="postgresql://nobody@127.0.0.1:1/none"), "intake")
    return http_app(
        db, DirectoryCache(db), DatabaseClock(db, SystemClock()), Path("media"), Sealer(Strongbox([bytes(32)]))
    )


def post_words(person: Person, directory: Directory) -> Sequence[str]:
    """Each post in words: 网格员 · 东门社区一网格."""
    labels = Labels(person.lang)
    words = []
    for post in person.posts:
        where = directory.name_of(post.unit or post.area) if post.unit or post.area else None
        role = labels.word("role", post.role.value)
        words.append(f"{role} · {where}" if where else role)
    return words
