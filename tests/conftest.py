"""Fixtures every test may use. Real servers start only when a test first asks for one; the cheapest tests open no
connection at all."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from xdist.remote import Producer
from xdist.scheduler import Scheduling

from tests.support.sharing import Shared, turn

pytest_plugins = ("tests.support.sample", "tests.support.postgres", "tests.support.kafka")

HERE = Path(__file__).parent
OFFLINE = frozenset({"unit", "property", "contract", "architecture"})


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling | None:
    """Where tests are to be shared out by scope, our own kind of it."""
    return Shared(config, log) if config.getoption("dist", "no") == "loadscope" else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Long ones first, where processes share them."""
    if config.getoption("dist", "no") == "loadscope":
        items.sort(key=lambda item: turn(item.path.relative_to(HERE.parent)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Unit, property, contract and architecture tests reach nobody over a network."""
    if item.path.relative_to(HERE).parts[0] not in OFFLINE:
        return (yield)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "socket", _Offline)
        return (yield)


class _Offline(socket.socket):
    """Pairs and files stay possible: an event loop needs them."""

    def connect(self, address: Any) -> None:
        self._refuse(address)
        super().connect(address)

    def connect_ex(self, address: Any) -> int:
        self._refuse(address)
        return super().connect_ex(address)

    def _refuse(self, address: Any) -> None:
        if self.family != socket.AF_UNIX:
            pytest.fail(f"a test of this kind opens no connection, this one wanted {address}")
