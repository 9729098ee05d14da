"""Telling weather from bad input, and who may have a movable clock."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from services.chassis.db import NotATestDatabaseError, driver_url, grid_now_ddl, is_transient, metadata_for, sqlstate


def database_error(state: str | None, kind: type[psycopg.Error] = psycopg.OperationalError) -> psycopg.Error:
    return psycopg.errors.lookup(state)("x") if state else kind("x")


@pytest.mark.parametrize(
    "state",
    ["08006", "25P03", "40001", "40P01", "53300", "57P01", "57P02", "57P03", "55P03", "57014"],
)
def test_passing_faults(state: str) -> None:
    error = database_error(state)
    assert is_transient(error)
    assert is_transient(OperationalError("SELECT", {}, error))


@pytest.mark.parametrize("state", ["22P02", "23505", "42P01", "22021"])
def test_faults_that_stay(state: str) -> None:
    assert not is_transient(IntegrityError("SELECT", {}, database_error(state)))


def test_a_row_that_met_its_week_being_made_is_weather() -> None:
    """The other way round, a CHECK of ours, is tried out against PostgreSQL: only it gives the constraint's name."""
    assert is_transient(IntegrityError("INSERT", {}, database_error("23514")))


def test_a_connection_lost_without_a_word_is_weather() -> None:
    assert is_transient(database_error(None))
    assert is_transient(DBAPIError("SELECT", {}, database_error(None, psycopg.InterfaceError)))
    assert is_transient(ConnectionResetError())
    assert is_transient(TimeoutError())


@pytest.mark.parametrize("error", [KeyError("x"), ValueError("x"), psycopg.ProgrammingError("x")])
def test_our_own_faults_are_no_weather(error: Exception) -> None:
    assert not is_transient(error)


def test_the_state_behind_an_error() -> None:
    assert sqlstate(IntegrityError("SELECT", {}, database_error("23505"))) == "23505"
    assert sqlstate(KeyError("x")) is None


def test_any_postgres_url_gets_our_driver() -> None:
    assert driver_url("postgres://u:p%40@h:1/d?host=/s") == "postgresql+psycopg://u:p%40@h:1/d?host=%2Fs"


def test_the_real_clock_is_the_database_clock_and_nothing_else() -> None:
    (statement,) = grid_now_ddl("grid", test_database=False)
    assert statement.endswith("$body$ SELECT statement_timestamp() $body$")


@pytest.mark.parametrize("name", ["grid", "production", "gridtest", "my_grid_test"])
def test_no_other_database_gets_a_movable_clock(name: str) -> None:
    with pytest.raises(NotATestDatabaseError, match=name):
        grid_now_ddl(name, test_database=True)


def test_metadata_belongs_to_one_schema() -> None:
    assert metadata_for("intake").schema == "intake"
