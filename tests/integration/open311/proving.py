"""Which test proves which clause."""

from __future__ import annotations

import ast
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


def proven() -> dict[str, list[str]]:
    """The clauses that each test names."""
    found: dict[str, list[str]] = {}
    for file in sorted(FILE.parent.glob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.AsyncFunctionDef) and node.name.startswith("test_"):
                marks = [each for each in node.decorator_list if isinstance(each, ast.Call)]
                named = [mark for mark in marks if isinstance(mark.func, ast.Name) and mark.func.id == "proves"]
                found[node.name] = [ast.literal_eval(each) for mark in named for each in mark.args]
    return found
