"""What the doctor looks at in a PostgreSQL and a Kafka that `grid up` did not start."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import psycopg
from aiokafka.errors import KafkaError

from schemas.topics import TOPICS
from services.chassis.finding import Finding, Verdict
from services.chassis.kafka import KafkaAddress, KafkaUrlError, quiet_client_logs
from services.chassis.kafka_server import KafkaFacts, read_facts
from services.chassis.kafka_server import unfit as unfit_kafka
from services.chassis.postgres_server import PostgresFacts, read_facts_of, unfit
from services.chassis.settings import KafkaSettings
from services.chassis.supervisor.connections import needed
from services.chassis.supervisor.settings import ROLE_URLS, SupervisorSettings
from services.chassis.supervisor.table import own_commands
from services.chassis.topics import Difference, check_topics

SET_UP = "run deploy/postgres/administrator.sql"
MORE_ROOM = (
    "raise max_connections, lower GRID_DATABASE_POOL, or put a transaction pooler between and set DATABASE_DIRECT_URL"
)
WITHIN_S = 30.0


def examine(settings: SupervisorSettings) -> Iterator[Finding]:
    """Whatever of the two is not ours."""
    if settings.own_database:
        yield from own_postgres(settings)
    if settings.kafka_url is not None:
        yield from own_kafka(settings.kafka_url, KafkaSettings().replication)


def own_postgres(settings: SupervisorSettings) -> Iterator[Finding]:
    """Every login works, the server is new enough and lets everybody in."""
    found: dict[str, PostgresFacts] = {}
    for role in ROLE_URLS:
        try:
            found[role] = read_facts_of(settings.direct_url_for(role) or settings.url_for(role))
        except psycopg.Error as error:
            why = str(error).strip().splitlines()[-1:] or [type(error).__name__]
            yield Finding(Verdict.BAD, f"PostgreSQL as {role}: {why[0]}", f"{SET_UP}, or correct the address")
    if (owner := found.get("owner")) is not None:
        yield from _server(owner)
    yield from _roles(found)
    if owner is not None:
        yield _room(settings, found)


def _server(facts: PostgresFacts) -> Iterator[Finding]:
    reasons = list(unfit(facts))
    for reason in reasons:
        yield Finding(Verdict.BAD, reason, f"use a newer server, or {SET_UP} to make the database")
    if not reasons:
        yield Finding(Verdict.OK, f"PostgreSQL {facts.version} of your own, {facts.encoding}")
    if not facts.creates:
        yield Finding(Verdict.BAD, "the owner's role may not create schemas in the database", SET_UP)


def _roles(found: dict[str, PostgresFacts]) -> Iterator[Finding]:
    mighty = sorted({facts.role for facts in found.values() if facts.superuser})
    if mighty:
        yield Finding(Verdict.HINT, f"{', '.join(mighty)} is a superuser, which nothing here needs", SET_UP)
    if len(found) == len(ROLE_URLS) and len({facts.role for facts in found.values()}) == 1:
        yield Finding(Verdict.HINT, "all services share one role, so none is fenced off from the others", SET_UP)


def _room(settings: SupervisorSettings, found: dict[str, PostgresFacts]) -> Finding:
    wanted = needed(own_commands(settings.dispatch_workers), settings.database_pool)
    room = min(facts.connections for facts in found.values())
    limited = sorted(facts.role for facts in found.values() if facts.role_limit >= 0)
    told = f"{wanted} connections needed, {room} to be had"
    if wanted > room:
        return Finding(Verdict.BAD, told, MORE_ROOM)
    if limited:
        remedy = "compare it with docs/reference/connections.md, or ALTER ROLE … CONNECTION LIMIT -1"
        return Finding(Verdict.HINT, f"{told}; {', '.join(limited)} has a limit of its own", remedy)
    return Finding(Verdict.OK, told)


def own_kafka(url: str, replication: int | None) -> Iterator[Finding]:
    """The brokers answer, are new enough, and hold the topics as safely as they could."""
    quiet_client_logs()
    try:
        facts, differences = asyncio.run(_ask(KafkaAddress.parse(url), replication))
    except (KafkaUrlError, KafkaError, OSError, TimeoutError) as error:
        why = str(error) or type(error).__name__
        yield Finding(Verdict.BAD, f"Kafka: {why}", "correct KAFKA_URL, or start the brokers it names")
        return
    for reason in unfit_kafka(facts):
        yield Finding(Verdict.BAD, reason, "use a newer Kafka")
    yield _brokers(facts)
    for each in differences:
        if each.by_hand or each.blocking:
            verdict = Verdict.BAD if each.blocking else Verdict.HINT
            yield Finding(verdict, f"{each.topic}: {each.what}", "docs/how-to/own-servers.md tells how")


def _brokers(facts: KafkaFacts) -> Finding:
    if facts.brokers >= 3:
        return Finding(Verdict.OK, f"Kafka of your own, {facts.brokers} brokers answer")
    return Finding(
        Verdict.HINT,
        f"Kafka of your own, {facts.brokers} broker(s) answer",
        "three brokers: then one may die and nothing stops",
    )


async def _ask(address: KafkaAddress, replication: int | None) -> tuple[KafkaFacts, list[Difference]]:
    async with asyncio.timeout(WITHIN_S):
        return await read_facts(address), await check_topics(address, TOPICS, replication)
