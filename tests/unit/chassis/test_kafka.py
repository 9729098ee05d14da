"""KAFKA_URL, topics as they should be, and a client that does not flood the log."""

from __future__ import annotations

import logging

import pytest

from schemas.topics import TOPICS
from services.chassis.kafka import KafkaAddress, KafkaUrlError, RateLimit
from services.chassis.topics import specs_of


def test_plain_text() -> None:
    address = KafkaAddress.parse("kafka://a:1,b")
    assert address.hosts == ("a:1", "b:9092")
    assert address.protocol == "PLAINTEXT"
    assert address.ssl_context() is None
    assert address.faust_broker() == "kafka://a:1;b:9092"


def test_a_login_over_tls() -> None:
    address = KafkaAddress.parse("kafkas://grid:p%40ss@a:1?mechanism=PLAIN")
    assert address.protocol == "SASL_SSL"
    options = address.client_options()
    assert options["sasl_plain_username"] == "grid"
    assert options["sasl_plain_password"] == "p@ss"
    assert options["sasl_mechanism"] == "PLAIN"
    assert options["ssl_context"].check_hostname


def test_scram_unless_told_otherwise() -> None:
    address = KafkaAddress.parse("kafka://u:p@a")
    assert (address.protocol, address.mechanism) == ("SASL_PLAINTEXT", "SCRAM-SHA-512")


@pytest.mark.parametrize(
    "url",
    [
        "localhost:9092",
        "http://a",
        "kafka://",
        "kafka://a:b",
        "kafka://a,",
        "kafka://a?speed=1",
        "kafka://u:p@a?mechanism=MD5",
    ],
)
def test_addresses_nobody_understands(url: str) -> None:
    with pytest.raises(KafkaUrlError):
        KafkaAddress.parse(url)


def test_the_password_is_not_shown() -> None:
    assert "secret" not in repr(KafkaAddress.parse("kafka://u:secret@a"))
    with pytest.raises(KafkaUrlError) as error:
        KafkaAddress.parse("kafka://u:secret@a?x=1")
    assert "secret" not in str(error.value)


def test_every_topic_has_a_place_for_its_dead() -> None:
    specs = {spec.name: dict(spec.config) for spec in specs_of(TOPICS, replication=3)}
    for topic in TOPICS:
        assert specs[topic.name]["min.insync.replicas"] == "2"
        assert int(specs[topic.name]["retention.ms"]) >= 14 * 86_400_000
        assert int(specs[topic.dlq]["max.message.bytes"]) > 1_048_576


def test_equal_lines_pass_once_per_interval() -> None:
    now = [0.0]
    limit = RateLimit(every=10, clock=lambda: now[0])
    line = logging.LogRecord("aiokafka", logging.WARNING, "", 0, "no broker %s", ("a",), None)
    other = logging.LogRecord("aiokafka", logging.WARNING, "", 0, "something else", (), None)
    assert limit.filter(line)
    assert not limit.filter(line)
    assert limit.filter(other)
    now[0] = 10.0
    assert limit.filter(line)
