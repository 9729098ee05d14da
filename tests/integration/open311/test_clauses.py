"""Every clause has a test, and every test here says which clauses it proves."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.integration.open311.proving import clauses

HERE = Path(__file__).parent


def proven() -> dict[str, list[str]]:
    """The clauses that each test names."""
    found: dict[str, list[str]] = {}
    for file in sorted(HERE.glob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.AsyncFunctionDef) and node.name.startswith("test_"):
                marks = [each for each in node.decorator_list if isinstance(each, ast.Call)]
                named = [mark for mark in marks if isinstance(mark.func, ast.Name) and mark.func.id == "proves"]
                found[node.name] = [ast.literal_eval(each) for mark in named for each in mark.args]
    return found


def test_every_clause_is_proven_and_no_other() -> None:
    told = {clause for named in proven().values() for clause in named}
    assert sorted(clauses().keys() - told) == [], "clauses without a test"
    assert sorted(told - clauses().keys()) == [], "tests of clauses that nobody wrote down"


def test_every_test_proves_something() -> None:
    assert [name for name, named in proven().items() if not named] == []
