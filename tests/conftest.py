"""Fixtures every test may use. Real servers start only when a test first asks for one."""

from __future__ import annotations

import pytest

pytest_plugins = ("tests.support.postgres", "tests.support.kafka")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"
