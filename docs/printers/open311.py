"""What Open311 asks for, what we add, and the test that proves each: the clauses of the tests, printed."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from printers.tables import table
from schemas.labels import Labels

FOLDER = Path(__file__).resolve().parents[2] / "tests" / "integration" / "open311"


def page(en: Labels) -> str:
    """One table a section."""
    sections = tomllib.loads((FOLDER / "clauses.toml").read_text("utf-8"))["section"]
    tests = _tests()
    parts = [
        "# Open311 GeoReport v2, clause by clause",
        "",
        "What the standard asks of a server and what this one adds, each with the tests that prove it. They ask the",
        "real service on a real database, in XML and in JSON: both must have the standard's shape, and say the same. A",
        "clause without a test fails, and so does a test without a clause. Run them alone with",
        "`pytest tests/integration/open311 -v`; the run prints this list with its outcomes.",
        "",
        "The [how-to](../how-to/connect-an-open311-client.md) shows a client's side.",
        "",
    ]
    for section in sections:
        rows = ((words, "<br>".join(tests[name])) for name, words in section["clauses"].items())
        parts += [f"## {section['title']}", "", table(("clause", "proven by"), rows)]
    parts += ["## Services' questions", "", *_questions(en)]
    return "\n".join(parts)


def _tests() -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for file in sorted(FOLDER.glob("test_*.py")):
        for test, clauses in _proofs(ast.parse(file.read_text("utf-8"))):
            for clause in clauses:
                found.setdefault(clause, []).append(f"`{file.stem}` {test.removeprefix('test_').replace('_', ' ')}")
    return found


def _proofs(tree: ast.Module) -> Iterator[tuple[str, list[str]]]:
    for node in tree.body:
        if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef):
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and isinstance(mark.func, ast.Name) and mark.func.id == "proves":
                    yield node.name, [str(ast.literal_eval(each)) for each in mark.args]


def _questions(en: Labels) -> Iterator[str]:
    """The attributes that a definition can have."""
    yield "Attributes of a definition. All may be left out; the rulebook decides then."
    yield ""
    codes = ("condition", "danger", "landmark", "occurred_at")
    rows = ((f"`{code}`", en.text(f"open311.{code}"), en.text(f"open311.{code}.form")) for code in codes)
    yield table(("attribute", "asks", "answer"), rows)
