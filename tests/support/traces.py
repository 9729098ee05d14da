"""Everything a running system leaves behind that others read, searched for words that must not be there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import psycopg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from psycopg import sql

from tests.support.scraping import targets

Found = tuple[str, str]
"""Where, and which word."""
SCHEMAS = ("directory", "identity", "intake", "dispatch", "escalation")


def in_files(folder: Path, words: Iterable[str]) -> Iterator[Found]:
    """Logs, pictures, whatever lies below a folder."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        yield from _in(f"file {path.relative_to(folder.parent)}", path.read_bytes(), words)


def in_topics(broker: str, words: Iterable[str]) -> list[Found]:
    """Keys, headers and bodies of every message of every topic, dead letters included."""
    return asyncio.run(topics_with(broker, list(words)))


async def topics_with(broker: str, words: Sequence[str]) -> list[Found]:
    """The same inside a running loop."""
    consumer: Any = AIOKafkaConsumer(  # type: ignore[no-untyped-call]
        bootstrap_servers=broker,
        enable_auto_commit=False,
        auto_offset_reset="earliest",  # a seek afterwards may lose against the consumer's own start at the end
    )
    await consumer.start()
    try:
        places = await _places(broker)
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        found: list[Found] = []
        while any([await consumer.position(place) < end for place, end in ends.items()]):
            for place, messages in (await consumer.getmany(timeout_ms=500)).items():
                for message in messages:
                    parts = [message.key or b"", message.value or b"", *(value for _, value in message.headers)]
                    found += _in(f"topic {place.topic}", b"\n".join(parts), words)
        return found
    finally:
        await consumer.stop()


async def _places(broker: str) -> list[TopicPartition]:
    admin: Any = AIOKafkaAdminClient(bootstrap_servers=broker)
    await admin.start()
    try:
        names = [name for name in await admin.list_topics() if name.startswith("grid")]
        told = await admin.describe_topics(names)
        return [TopicPartition(topic["topic"], part["partition"]) for topic in told for part in topic["partitions"]]
    finally:
        await admin.close()


def in_tables(url: str, words: Iterable[str]) -> Iterator[Found]:
    """Every row of every table, as text; bytes are looked into as well."""
    sought = list(words)
    hexed = [word.encode().hex() for word in sought]
    with psycopg.connect(url, autocommit=True) as connection:
        rows = connection.execute(
            "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relkind = 'r' AND n.nspname = ANY(%s)",
            [list(SCHEMAS)],
        ).fetchall()
        for schema, table in rows:
            query = sql.SQL(  # OFFSET keeps a row from being made into text for each word anew
                "SELECT DISTINCT word FROM (SELECT t::text AS whole FROM {} t OFFSET 0) AS rows,"
                " unnest(%s::text[], %s::text[]) AS sought (word, hex)"
                " WHERE strpos(whole, word) > 0 OR strpos(whole, hex) > 0"
            )
            for (word,) in connection.execute(query.format(sql.Identifier(schema, table)), [sought, hexed]):
                yield f"table {schema}.{table}", word


def in_metrics(home: Path, words: Iterable[str]) -> Iterator[Found]:
    """Names, labels and help of what every part tells Prometheus."""
    for target in targets(home):
        text = httpx.get(f"http://{target.address}/metrics", timeout=30).raise_for_status().text
        yield from _in(f"metrics of {target.labels['part']}", text.encode(), words)


def in_bytes(where: str, content: bytes, words: Iterable[str]) -> Iterator[Found]:
    """An answer or a delivery."""
    yield from _in(where, content, words)


def _in(where: str, content: bytes, words: Iterable[str]) -> Iterator[Found]:
    for word in words:
        escaped = word.encode("ascii", "backslashreplace")  # as JSON may write it
        if word.encode() in content or (escaped != word.encode() and escaped in content):
            yield where, word
