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
from services.chassis.pace import CALM
from services.chassis.pictures.settings import EVIDENCE, MediaSettings, picture_store
from services.chassis.secretbox import SecretBox, read_or_make_key
from services.chassis.serve import Part, Running
from services.chassis.settings import (
    DatabaseSettings,
    DispatchHttpSettings,
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
from services.escalation.api import (
    Desk,
    allowed_router,
    attachments_router,
    checks_router,
    choices_router,
    dead_router,
    deliveries_router,
    notices_router,
    platform_router,
    preview_router,
    receipts_router,
    robots_router,
    sent_router,
    webhooks_router,
)
from services.escalation.notices.choosing import MAIL, TEXT
from services.escalation.notices.mail import Mailer
from services.escalation.notices.posting import Posting
from services.escalation.notices.settings import MailSettings, NoticeSettings
from services.escalation.notices.texting import FileTexter
from services.escalation.settings import PlatformSettings, TimerCheckSettings, TimerSettings, WebhookSettings
from services.escalation.store import retention
from services.escalation.tables import SCHEMA, idempotency, inbox, outbox
from services.escalation.timers import TimerLoop
from services.escalation.usecases.deliver import Deliverer
from services.escalation.usecases.links import Links
from services.escalation.usecases.manage import EndpointDesk
from services.escalation.usecases.push import Announcer
from services.escalation.usecases.reconcile import Reconciler
from services.escalation.usecases.robots import RobotDesk
from services.escalation.usecases.vitals import NoticeProbe, PlatformProbe, TimerProbe, WebhookProbe
from services.escalation.usecases.vouch import AllowList
from services.escalation.webhooks.client import WebhookClient

NEEDS_REVISION = "0008"


async def serve() -> Running:
    """The HTTP process."""
    db = Database(DatabaseSettings(), "escalation")
    cache = DirectoryCache(db)
    app = http_app(db, cache, _secret_box())
    metrics: Metrics = app.state.metrics
    ours = (TimerProbe(metrics), WebhookProbe(metrics), PlatformProbe(metrics), NoticeProbe(metrics))
    probes = (*standard_probes(SCHEMA, metrics), *ours)
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
        robots=RobotDesk(ids, box, WebhookSettings().allowed),
        platform_secret=_platform_secret(),
    )

    def name_of(account: str) -> str:
        known = cache.current().accounts.get(account)
        return account if known is None else known.name

    for router in (
        allowed_router(name_of),
        checks_router(),
        webhooks_router(lambda: {code: street.name for code, street in cache.current().streets.items()}),
        preview_router(),
        dead_router(),
        deliveries_router(),
        platform_router(),
        receipts_router(name_of),
        attachments_router(_links(box), picture_store(MediaSettings(), HomeSettings().home / "media", EVIDENCE)),
        robots_router(cache.current, _ways()),
        sent_router(cache.current),
        notices_router(),
        choices_router(_ways()),
    ):
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
    handler = follower(cache, ids, NoticeSettings().late_s)
    stream = StreamWorker(GROUP, TOPICS, handler, db, (inbox, outbox), address, ids, metrics, pace=CALM)

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
    parts = (*relay_parts("escalation", db, outbox, address, metrics, pace=CALM), housekeeping_part(keeper))
    return Running(parts, metrics=metrics, close=db.close)


async def timers() -> Running:
    """The firing process; beside it the timers are compared with the clocks of the cases."""
    db, metrics = Database(DatabaseSettings(), "escalation-timers"), Metrics("escalation")
    loop = TimerLoop(db, outbox, SystemIds(), TimerSettings(), metrics, monotonic)
    checks = Reconciler(db, TimerCheckSettings(), metrics, monotonic)
    parts = (Part("timers", loop.run, loop.pulse), Part("timer checks", checks.run, checks.pulse))
    return Running(parts, metrics=metrics, close=db.close)


async def deliver() -> Running:
    """The sending process: webhooks to other systems, and what people are told."""
    db, metrics, settings = Database(DatabaseSettings(), "escalation-deliver"), Metrics("escalation"), WebhookSettings()
    allow_list = AllowList(settings.allowed)
    client = WebhookClient(allow_list, settings.timeout_s, monotonic, settings.tls())
    box = _secret_box()
    deliverer = Deliverer(db, client, box, settings, random.SystemRandom(), metrics, allow_list, _links(box))
    cache = DirectoryCache(db)
    announcer = Announcer(db, cache, _posting(client, box), SystemIds(), NoticeSettings(), metrics)

    async def close() -> None:
        await client.close()
        await db.close()

    parts = (
        Part("deliver", deliverer.run, deliverer.pulse),
        Part("directory", cache.run, cache.pulse),
        Part("notices", announcer.run, announcer.pulse),
    )
    return Running(parts, metrics=metrics, close=close)


def offline_app() -> FastAPI:
    """The application without its surroundings, for printing its description."""
    db = Database(DatabaseSettings(url="postgresql://nobody@127.0.0.1:1/none"), "escalation")
    return http_app(db, DirectoryCache(db), SecretBox(bytes(32)))


def _secret_box() -> SecretBox:
    settings = WebhookSettings()
    return SecretBox(read_or_make_key(settings.key_file or HomeSettings().home / "secrets" / "webhook.key"))


def _posting(client: WebhookClient, box: SecretBox) -> Posting:
    mail, text_file = MailSettings(), NoticeSettings().text_file
    mailer = None if mail.host is None else Mailer(mail, monotonic)
    texter = None if text_file is None else FileTexter(text_file)
    return Posting(client, mailer, texter, box, DispatchHttpSettings().public_url)


def _ways() -> tuple[str, ...]:
    """By which single people can be told."""
    mail, texts = MailSettings().host is not None, NoticeSettings().text_file is not None
    return (*((MAIL,) if mail else ()), *((TEXT,) if texts else ()))


def _links(box: SecretBox) -> Links:
    """Under the address at which others reach escalation; without one that of this machine."""
    http = EscalationHttpSettings()
    return Links(box, http.public_url or f"http://{http.host}:{http.port}", WebhookSettings().links_live)


def _platform_secret() -> bytes | None:
    secret = PlatformSettings().secret
    return None if secret is None else decode_secret(secret.get_secret_value())
