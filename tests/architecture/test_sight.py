"""Every read of cases for somebody carries the one predicate of who may see them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

DISPATCH = Path(__file__).resolve().parents[2] / "services" / "dispatch"
STORE = DISPATCH / "store"
PREDICATES = {"visible_cases", "readable_cases"}
FOR_NOBODY = {
    "bulk": "writes whatever table it is given",
    "closed": "the machine puts closed cases away",
    "feed": "which cases changed; what a reader is told of them is read by `lists`",
    "imports": "counts what an import brought, for the command line",
    "locks": "the worker, by the id in an event",
    "near": "the rules' own look around, under lock",
    "overdue": "the auditor's list of all that is late: numbers and steps, no word of a report",
    "queues": "the content of lists; `lists` puts the predicate beside it",
    "recomputes": "the machine counts due times anew, of whatever case the calendar concerns",
    "recorded": "whole cases to be lived again under other rules, for the command line",
    "reports": "words and photos of a case that `detail` has found, or the worker has locked",
    "retention": "housekeeping",
    "search_todo": "makes the rows that are looked through; `searching` puts the predicates beside them",
    "turning": "the machine writes anew the rows whose time has come, and looks for the oldest of each list",
    "write": "writes",
}
"""Modules of the store that touch cases without the predicate, and why they may."""
ROUTES_MAY_USE = {"reports"}


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def _touches_cases(tree: ast.AST) -> bool:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == "cases":
            return True
        if isinstance(node, ast.Attribute) and node.attr == "cases":
            return True
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "dispatch.cases" in node.value:
            return True
    return False


def _asks(tree: ast.AST) -> bool:
    return any(isinstance(node, ast.Name) and node.id in PREDICATES for node in ast.walk(tree))


def _hands_on(function: ast.AST, module: ast.Module) -> bool:
    """Whether it calls another function of its module, through however many, that asks."""
    inner = {n.name: n for n in ast.walk(module) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)}
    seen: set[str] = set()
    waiting = [function]
    while waiting:
        named = {n.id for n in ast.walk(waiting.pop()) if isinstance(n, ast.Name)} & inner.keys() - seen
        seen |= named
        waiting += [inner[name] for name in named]
    return any(_asks(inner[name]) for name in seen)


def test_a_module_that_reads_cases_asks_who_may_see_them_or_says_why_not() -> None:
    silent = {path.stem for path in STORE.glob("*.py") if _touches_cases(_tree(path)) and not _asks(_tree(path))}
    assert silent - {"audience"} <= FOR_NOBODY.keys()
    assert {name for name in FOR_NOBODY if not (STORE / f"{name}.py").exists()} == set()


def test_every_statement_for_a_scope_carries_the_predicate() -> None:
    """In the modules that ask: a function that is given a scope names a predicate, or calls one that does."""
    for path in sorted(STORE.glob("*.py")):
        tree = _tree(path)
        if path.stem in {"audience", "queues"} or not _asks(tree):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
                scoped = any(getattr(arg.annotation, "id", None) == "Scope" for arg in node.args.args)
                assert not scoped or _asks(node) or _hands_on(node, tree), f"{path.stem}.{node.name}"


@pytest.mark.parametrize("path", sorted((DISPATCH / "api").glob("*.py")), ids=lambda path: path.stem)
def test_routes_read_cases_through_what_asks(path: Path) -> None:
    used = {
        (node.module or "").rpartition(".")[2]
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("services.dispatch.store.")
    }
    assert used & FOR_NOBODY.keys() <= ROUTES_MAY_USE
