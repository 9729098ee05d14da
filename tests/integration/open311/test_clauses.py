"""Every clause has a test, and every test here says which clauses it proves."""

from __future__ import annotations

from tests.integration.open311.proving import clauses, proven


def test_every_clause_is_proven_and_no_other() -> None:
    told = {clause for named in proven().values() for clause in named}
    assert sorted(clauses().keys() - told) == [], "clauses without a test"
    assert sorted(told - clauses().keys()) == [], "tests of clauses that nobody wrote down"


def test_every_test_proves_something() -> None:
    assert [name for name, named in proven().items() if not named] == []
