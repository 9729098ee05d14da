"""Mappings kept under a name, so that next month's file needs no file beside it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from services.chassis.db import Database
from services.intake.imports.mapping import ImportMapping, mapping_of, text_of
from services.intake.store import imports as store

_NAME = re.compile(r"[\w][\w.-]{0,60}")


class Stopped(Exception):
    """It cannot begin; the message says why and what to do."""


async def find(db: Database, wanted: str) -> tuple[ImportMapping, str]:
    """The mapping in a file of that name, else the saved one, with its text. Raises Stopped, MappingRefused."""
    text = _in_file(Path(wanted))
    if text is not None:
        return mapping_of(text, wanted), text
    async with db.reading() as tx:
        kept = await store.mapping_named(tx, wanted)
        names = [name for name, _ in await store.mapping_names(tx)]
    if kept is None:
        there = f"saved are {', '.join(names)}" if names else "none is saved yet; --save-mapping NAME saves one"
        raise Stopped(f"no file and no saved mapping is called {wanted!r}; {there}")
    return mapping_of(kept, wanted), kept


async def keep(db: Database, name: str, text: str) -> None:
    """Keep a mapping that has been read. Raises Stopped for a name that could be taken for a file."""
    if not _NAME.fullmatch(name):
        raise Stopped(f"{name!r}: a name has up to 61 letters, digits, dots, _ and -, and begins with no dot")
    async with db.transaction() as tx:
        await store.save_mapping(tx, name, text)
    sys.stderr.write(f"mapping saved as {name}\n")


async def show(db: Database, name: str | None) -> None:
    """Print one mapping, or without a name what there is. Raises Stopped."""
    if name is not None:
        sys.stdout.write((await find_saved(db, name)).rstrip() + "\n")
        return
    async with db.reading() as tx:
        for one, at in await store.mapping_names(tx):
            sys.stdout.write(f"{one}\t{at:%Y-%m-%d}\n")


async def find_saved(db: Database, name: str) -> str:
    """The text of a saved mapping. Raises Stopped."""
    async with db.reading() as tx:
        kept = await store.mapping_named(tx, name)
    if kept is None:
        raise Stopped(f"no saved mapping is called {name!r}; --list-mappings shows those there are")
    return kept


def _in_file(path: Path) -> str | None:
    return text_of(path) if path.is_file() else None
