"""Where settings come from."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from services.chassis.settings import DatabaseSettings, DispatchHttpSettings, IntakeHttpSettings, KafkaSettings


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "DATABASE_DIRECT_URL", "KAFKA_URL", "GRID_CONFIG", "GRID_SECRETS_DIR"):
        monkeypatch.delenv(name, raising=False)


def test_a_database_address_is_demanded() -> None:
    with pytest.raises(ValidationError, match="DATABASE_URL"):
        DatabaseSettings()


def test_the_environment_comes_before_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "grid.env"
    file.write_text("DATABASE_URL=postgresql://file\nKAFKA_URL=kafka://file\n")
    monkeypatch.setenv("GRID_CONFIG", str(file))
    monkeypatch.setenv("DATABASE_URL", "postgresql://environment")
    assert DatabaseSettings().url == "postgresql://environment"
    assert KafkaSettings().url == "kafka://file"


def test_secrets_are_read_from_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "DATABASE_URL").write_text("postgresql://secret\n")
    monkeypatch.setenv("GRID_SECRETS_DIR", str(tmp_path))
    assert DatabaseSettings().url == "postgresql://secret"


def test_a_named_file_must_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRID_CONFIG", "/nowhere/grid.env")
    with pytest.raises(FileNotFoundError, match="GRID_CONFIG"):
        KafkaSettings()


def test_sessions_go_around_a_pooler() -> None:
    assert DatabaseSettings(url="a").session_url == "a"
    assert DatabaseSettings(url="a", direct_url="b").session_url == "b"


def test_each_service_has_its_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRID_DISPATCH_PORT", "9")
    assert (IntakeHttpSettings().port, DispatchHttpSettings().port) == (8001, 9)
