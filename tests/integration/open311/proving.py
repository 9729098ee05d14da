"""Which test proves which clause."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

Test = TypeVar("Test", bound=Callable[..., Any])
FILE = Path(__file__).with_name("clauses.toml")


def proves(*_clauses: str) -> Callable[[Test], Test]:
    """Marks a test; the words are read from its source, here and by the printer of the reference."""
    return lambda test: test


def clauses() -> dict[str, str]:
    """Every clause by its name."""
    sections = tomllib.loads(FILE.read_text("utf-8"))["section"]
    return {name: words for section in sections for name, words in section["clauses"].items()}
