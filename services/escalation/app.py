"""Composition root of escalation: each function builds one process; nothing else wires."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from services.chassis.asgi import create_app, database_check, schema_check
from services.chassis.auth import Authenticator, session_router
from services.chassis.clock import monotonic
from services.chassis.db import Database
from services.chassis.directory import DirectoryCache
from services.chassis.directory.words import lent_posts, post_words
from services.chassis.housekeeping import RetentionSettings
from services.chassis.housekeeping.parts import housekeeper, housekeeping_part
from services.chassis.ids import SystemIds
from services.chassis.kafka import KafkaAddress
from services.chassis.outbox.parts import relay_parts
from services.chassis.secretbox import SecretBox, read_or_make_key
from services.chassis.serve import Part, Running
from services.chassis.settings import (
    DatabaseSettings,
    EscalationHttpSettings,
    HomeSettings,
    KafkaSettings,
    ServiceTokenSettings,
)
from services.chassis.signing import decode_secret
from services.chassis.streams.worker import StreamWorker
from services.chassis.telemetry import Metrics
from services.chassis.vitals import Vitals, standard_probes
from services.escalation.agents import GROUP, TOPICS, follower
from services.escalation.api import Desk, deliveries_router, platform_router, webhooks_router
from services.escalation.settings import PlatformSettings, TimerSettings, WebhookSettings
from services.escalation.store import retention
from services.escalation.tables import SCHEMA, idempotency, inbox, outbox
from services.escalation.timers import TimerLoop
from services.escalation.usecases.deliver import Deliverer
from services.escalation.usecases.manage import EndpointDesk
from services.escalation.usecases.vitals import PlatformProbe, TimerProbe, WebhookProbe
from services.escalation.webhooks.client import WebhookClient

NEEDS_REVISION = "0005"


async def serve() -> Running:
    """The HTTP process."""
    db = Database(DatabaseSettings(), "escalation")
    cache = DirectoryCache(db)
    app = http_app(db, cache, _secret_box())
    metrics: Metrics = app.state.metrics
    probes = (*standard_probes(SCHEMA, metrics), TimerProbe(metrics), WebhookProbe(metrics), PlatformProbe(metrics))
    parts = (Part("directory", cache.run, cache.pulse), Part("vitals", Vitals(db, probes, metrics).run))
    return Running(parts, app, app.state.http, metrics, db.close)


def http_app(db: Database, cache: DirectoryCache, box: SecretBox) -> FastAPI:
    """The application around a database. Opens nothing before its lifespan begins."""
    ids = SystemIds()
    auth = Authenticator(db, cache, ids, service_token=ServiceTokenSettings().token)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        yield
        auth.close()

    checks = (database_check(db), schema_check(db, SCHEMA, NEEDS_REVISION))
    app = create_app("escalation", EscalationHttpSettings(), checks, ids=ids, lifespan=life)
    app.state.auth = auth
    app.state.desk = Desk(
        db=db,
        ids=ids,
        outbox=outbox,
        keys=idempotency,
        endpoints=EndpointDesk(ids, box, WebhookSettings().allowed),
        platform_secret=_platform_secret(),
    )
    for router in (webhooks_router(), deliveries_router(), platform_router()):
        app.include_router(router)
    app.include_router(
        session_router(
            lambda person: post_words(person, cache.current()), lambda person: lent_posts(person, cache.current())
        )
    )
    return app


async def worker() -> Running:
    """The stream process: case facts arm timers and queue deliveries."""
    db, metrics, ids = Database(DatabaseSettings(), "escalation-worker"), Metrics("escalation"), SystemIds()
    cache = DirectoryCache(db)
    address = KafkaAddress.parse(KafkaSettings().url)
    stream = StreamWorker(GROUP, TOPICS, follower(cache, ids), db, (inbox, outbox), address, ids, metrics)

    async def after_directory(stop: asyncio.Event) -> None:
        await cache.refresh()
        await stream.run(stop)

    parts = (Part("directory", cache.run, cache.pulse), Part("stream", after_directory, stream.pulse))
    return Running(parts, metrics=metrics, close=db.close)


async def relay() -> Running:
    """The relay process: outbox rows go to Kafka; beside it one of a service's relays keeps house."""
    db, metrics = Database(DatabaseSettings(), "escalation-relay"), Metrics("escalation")
    address, kept = KafkaAddress.parse(KafkaSettings().url), RetentionSettings()
    keeper = housekeeper("escalation", db, metrics, kept, sweeps=retention.sweeps(kept))
    parts = (*relay_parts("escalation", db, outbox, address, metrics), housekeeping_part(keeper))
    return Running(parts, metrics=metrics, close=db.close)


async def timers() -> Running:
    """The firing process."""
    db, metrics = Database(DatabaseSettings(), "escalation-timers"), Metrics("escalation")
    loop = TimerLoop(db, outbox, SystemIds(), TimerSettings(), metrics, monotonic)
    return Running((Part("timers", loop.run, loop.pulse),), metrics=metrics, close=db.close)


async def deliver() -> Running:
    """The sending process."""
    db, metrics, settings = Database(DatabaseSettings(), "escalation-deliver"), Metrics("escalation"), WebhookSettings()
    client = WebhookClient(settings.allowed, settings.timeout_s, monotonic)
    deliverer = Deliverer(db, client, _secret_box(), settings, random.SystemRandom(), metrics)

    async def close() -> None:
        await client.close()
        await db.close()

    return Running((Part("deliver", deliverer.run, deliverer.pulse),), metrics=metrics, close=close)


def offline_app() -> FastAPI:
    """The application without its surroundings, for printing its description."""
    db = Database(DatabaseSettings(url="postgresql://nobody@127.0.0.1:1/none"), "escalation")
    return http_app(db, DirectoryCache(db), SecretBox(bytes(32)))


def _secret_box() -> SecretBox:
    settings = WebhookSettings()
    return SecretBox(read_or_make_key(settings.key_file or HomeSettings().home / "secrets" / "webhook.key"))


def _platform_secret() -> bytes | None:
    secret = PlatformSettings().secret
    return None if secret is None else decode_secret(secret.get_secret_value())
