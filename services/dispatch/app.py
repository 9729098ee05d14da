"""Composition root: settings in, something that runs out. Nothing else wires."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from fastapi import APIRouter, FastAPI
from pydantic import SecretStr

from schemas.labels import Labels
from services.chassis.asgi import (
    EdgeRules,
    ReadyCheck,
    create_app,
    database_check,
    folder_check,
    mount_spa,
    schema_check,
)
from services.chassis.auth import Authenticator, Person, session_router
from services.chassis.clock import monotonic
from services.chassis.db import Database
from services.chassis.directory import DirectoryCache
from services.chassis.directory.words import lent_posts
from services.chassis.housekeeping import RetentionSettings
from services.chassis.housekeeping.parts import housekeeper, housekeeping_part
from services.chassis.http_client import ServiceClient
from services.chassis.ids import IdSource, SystemIds
from services.chassis.kafka import KafkaAddress
from services.chassis.outbox.parts import relay_parts
from services.chassis.pace import CALM
from services.chassis.pictures.folder import FolderStore
from services.chassis.pictures.settings import EVIDENCE, MediaSettings, picture_store
from services.chassis.pictures.store import PictureStore
from services.chassis.pictures.workshop import Workshop
from services.chassis.serve import Part, Running
from services.chassis.settings import (
    DatabaseSettings,
    DispatchHttpSettings,
    HomeSettings,
    KafkaSettings,
    LogSettings,
    ServiceTokenSettings,
)
from services.chassis.streams.worker import StreamWorker
from services.chassis.telemetry import Metrics, configure_logging
from services.chassis.vitals import RecordWatch, Vitals, standard_probes
from services.dispatch.agents import APP_ID, TOPICS, handler
from services.dispatch.api import ROUTERS, Wiring
from services.dispatch.forward import Forwarder
from services.dispatch.live import Feed
from services.dispatch.media import EvidenceFiles
from services.dispatch.settings import DispatchSettings
from services.dispatch.store import retention
from services.dispatch.tables import SCHEMA, inbox, outbox
from services.dispatch.usecases.archive import Archiving
from services.dispatch.usecases.ground import Ground
from services.dispatch.usecases.indexing import Indexing
from services.dispatch.usecases.recompute import Abandoned
from services.dispatch.usecases.take import Tools
from services.dispatch.usecases.turning import KeepingLists
from services.dispatch.usecases.words import Words
from services.governance.acts import Post

NAME = "dispatch"
NEEDED_REVISION = "0014"
STATIC = Path(__file__).parent / "static"
PAGES = ("console", "desk")
BODY_LIMIT = 13 * 1024 * 1024  # a picture of 12 MB and its frame


def ground(application: str) -> Ground:
    """Open what all processes share; needs a running loop."""
    log = LogSettings()
    configure_logging(application, log.level)
    db = Database(DatabaseSettings(), application)
    return Ground(db, DirectoryCache(db), SystemIds(), Metrics(NAME))


async def warm(directory: DirectoryCache) -> None:
    """Read the directory and every rulebook in use, so that no transaction waits for a second connection later."""
    for stored in (await directory.refresh()).rulebooks:
        await directory.rulebook(stored.version)


async def build_server() -> Running:
    """The HTTP process."""
    base = ground(NAME)
    settings, http = DispatchSettings(), DispatchHttpSettings()
    token = ServiceTokenSettings().token
    await warm(base.directory)
    forwarder = _forwarder(settings, token)
    feed = Feed(base.db, base.directory, settings)
    app = make_app(http, base, folder_check("evidence", evidence_disk(settings)))
    auth = Authenticator(base.db, PostsOf(base.directory), base.ids, service_token=token)
    app.state.auth = auth
    app.state.clock = monotonic
    app.state.wiring = Wiring(base.db, base.directory, base.ids, feed, evidence_files(settings, base.ids), forwarder)

    async def close() -> None:
        auth.close()
        await forwarder.close()
        await base.db.close()

    vitals = Vitals(base.db, standard_probes(SCHEMA, base.metrics), base.metrics)
    proof = RecordWatch(base.db, base.metrics)
    directory = Part("directory", base.directory.run, base.directory.pulse)
    live = (
        Part("feed", feed.run, feed.pulse),
        Part("presence", feed.attendance.run, feed.attendance.pulse),
    )
    parts = (directory, *live, Part("vitals", vitals.run), Part("audit", proof.run))
    return Running(parts=parts, app=app, http=http, metrics=base.metrics, close=close)


def make_app(http: DispatchHttpSettings, base: Ground | None, *more: ReadyCheck) -> FastAPI:
    """The application with its routes. Without a ground it can only describe itself (`openapi`)."""
    own = (database_check(base.db), schema_check(base.db, SCHEMA, NEEDED_REVISION)) if base is not None else ()
    app = create_app(
        NAME,
        http,
        (*own, *more),
        ids=base.ids if base is not None else SystemIds(),
        metrics=base.metrics if base is not None else None,
        rules=EdgeRules(body_limit=BODY_LIMIT),
    )
    app.include_router(posts_in_words(base.directory) if base is not None else session_router())
    for router in ROUTERS:
        app.include_router(router)
    for page in PAGES:
        mount_spa(app, f"/{page}/", STATIC / page)
    return app


async def build_worker() -> Running:
    """A stream worker."""
    base = ground(f"{NAME}-worker")
    await warm(base.directory)
    address = KafkaAddress.parse(KafkaSettings().url)
    applied = handler(Tools(base.directory, base.ids))
    worker = StreamWorker(APP_ID, TOPICS, applied, base.db, (inbox, outbox), address, base.ids, base.metrics)
    parts = (Part("directory", base.directory.run, base.directory.pulse), Part("stream", worker.run, worker.pulse))
    return Running(parts=parts, metrics=base.metrics, close=base.db.close)


async def build_relay() -> Running:
    """The outbox's relay; beside it one of a service's relays keeps house."""
    base = ground(f"{NAME}-relay")
    address, kept = KafkaAddress.parse(KafkaSettings().url), RetentionSettings()
    settings = DispatchSettings()
    folder, pictures = evidence_disk(settings), evidence_store(settings)
    recomputing = Abandoned(base, settings.recompute_per_s)
    chores = (*retention.evidence_chores(pictures, bench(), kept), Archiving(base), recomputing)
    keeper = housekeeper(NAME, base.db, base.metrics, kept, sweeps=retention.sweeps(kept), others=chores, folder=folder)
    indexing = Indexing(base.db, base.directory)
    search = Part("search", indexing.run, indexing.pulse)
    lists = KeepingLists(base)
    kept_up = (search, Part("lists", lists.run, lists.pulse))
    await warm(base.directory)
    relay = relay_parts(NAME, base.db, outbox, address, base.metrics, CALM)
    parts = (*relay, housekeeping_part(keeper), *kept_up)
    return Running(parts=parts, metrics=base.metrics, close=base.db.close)


def evidence_files(settings: DispatchSettings, ids: IdSource) -> EvidenceFiles:
    """The evidence and where it is made clean."""
    return EvidenceFiles(evidence_store(settings), bench(), Workshop(), ids)


def evidence_store(settings: DispatchSettings) -> PictureStore:
    """Where evidence lies: with the other pictures, unless it has a folder of its own."""
    if settings.evidence_dir is not None:
        return FolderStore(settings.evidence_dir)
    return picture_store(MediaSettings(), HomeSettings().home / "media", EVIDENCE)


def evidence_disk(settings: DispatchSettings) -> Path:
    """The folder of this machine that must have room."""
    store = evidence_store(settings)
    return store.root if isinstance(store, FolderStore) else bench()


def bench() -> Path:
    """The folder of this machine in which pictures are made."""
    return HomeSettings().home / "media" / "bench"


class PostsOf:
    """The directory's posts as sign-in asks for them."""

    def __init__(self, cache: DirectoryCache) -> None:
        self._cache = cache

    def posts_of(self, account_id: str, now: datetime) -> tuple[Post, ...]:
        """The posts an account holds at `now`."""
        return self._cache.current().posts_of(account_id, now)

    def covers_all(self, area: str) -> bool:
        """Whether an area code takes in every street there is."""
        return self._cache.covers_all(area)


def posts_in_words(cache: DirectoryCache) -> APIRouter:
    """Who is signed in, his posts in words, with those that are lent."""
    return session_router(post_labels(cache), lambda person: lent_posts(person, cache.current()))


def post_labels(cache: DirectoryCache) -> Callable[[Person], Sequence[str | None]]:
    """Words for a person's posts: '网格员 · 北门社区第一网格'."""

    def labels(person: Person) -> Sequence[str | None]:
        words = Words(Labels(person.lang), cache.current())
        return [
            " · ".join(filter(None, (words.word("role", post.role), words.place(post.unit or post.area))))
            for post in person.posts
        ]

    return labels


def _forwarder(settings: DispatchSettings, token: SecretStr | None) -> Forwarder:
    shown = token or SecretStr("")
    return Forwarder(
        ServiceClient("intake", settings.intake_url, shown),
        ServiceClient("escalation", settings.escalation_url, shown),
    )
