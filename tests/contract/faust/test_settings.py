"""The settings our delivery proof rests on, as Faust understands them at run time."""

from __future__ import annotations

from pathlib import Path

import faust
import pytest

from services.chassis.kafka import KafkaAddress
from services.chassis.streams.worker import PurePythonFaust, make_app, require_compiled_iterator

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def app() -> faust.App:
    return make_app("grid-dispatch", KafkaAddress(("a:1", "b:2")))


def test_the_consumer_group_is_the_app_id(app: faust.App) -> None:
    assert app.conf.id == "grid-dispatch"


def test_every_host_is_known(app: faust.App) -> None:
    assert [(url.host, url.port) for url in app.conf.broker] == [("a", 1), ("b", 2)]


def test_nothing_is_assigned_or_declared_by_faust_itself(app: faust.App) -> None:
    assert app.conf.topic_disable_leader
    assert not app.conf.topic_allow_declare
    assert app.conf.table_standby_replicas == 0


def test_a_long_database_outage_does_not_cost_membership(app: faust.App) -> None:
    assert app.conf.broker_max_poll_interval >= 86_400
    assert app.conf.broker_session_timeout == 8
    assert app.conf.broker_request_timeout > app.conf.broker_session_timeout


def test_a_group_that_was_given_nothing_soon_looks_again(app: faust.App) -> None:
    assert app.conf.consumer_metadata_max_age_ms <= 10_000


def test_a_new_group_reads_from_the_beginning(app: faust.App) -> None:
    assert app.conf.consumer_auto_offset_reset == "earliest"


def test_faust_serves_no_pages(app: faust.App) -> None:
    assert not app.conf.web_enabled


def test_credentials_follow_the_address() -> None:
    address = KafkaAddress.parse("kafkas://u:p@host:9/?mechanism=SCRAM-SHA-256")
    credentials = make_app("x", address).conf.broker_credentials
    assert credentials.protocol.value == "SASL_SSL"
    assert credentials.mechanism.value == "SCRAM-SHA-256"
    assert (credentials.username, credentials.password) == ("u", "p")
    assert credentials.ssl_context is not None


def test_the_compiled_iterator_is_demanded(monkeypatch: pytest.MonkeyPatch) -> None:
    require_compiled_iterator()
    monkeypatch.setattr(faust.streams, "_CStreamIterator", None)
    with pytest.raises(PurePythonFaust):
        require_compiled_iterator()


def test_faust_makes_no_folders(app: faust.App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    app._create_directories()  # what its start calls
    assert list(tmp_path.iterdir()) == []
