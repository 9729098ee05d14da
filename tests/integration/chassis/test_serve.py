"""A real process with a real port: it answers, says when the port is taken, and goes when told to."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import textwrap
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from services.chassis.clock import SystemClock
from services.chassis.lan.authority import papers_for
from tests.support.stand import free_ports

LOOP = textwrap.dedent(
    """
    import sys
    from services.chassis.serve import Running, run
    from services.chassis.telemetry import Metrics, configure_logging

    configure_logging("test")

    async def build():
        metrics = Metrics("test")
        metrics.counter("grid_rows", "Rows").inc(7)
        return Running(metrics=metrics)

    sys.exit(run(build))
    """
)
PROGRAM = textwrap.dedent(
    """
    import sys
    from services.chassis.asgi import create_app
    from services.chassis.ids import SystemIds
    from services.chassis.serve import Running, run
    from services.chassis.settings import HttpSettings
    from services.chassis.telemetry import Metrics, configure_logging

    configure_logging("test")

    async def build():
        http, metrics = HttpSettings(port=int(sys.argv[1])), Metrics("test")
        app = create_app("test", http, [], ids=SystemIds(), metrics=metrics)
        return Running(app=app, http=http, metrics=metrics)

    sys.exit(run(build))
    """
)


@contextlib.contextmanager
def program(port: int, text: str = PROGRAM) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "GRID_METRICS_PORT": str(port)}
    process = subprocess.Popen(
        [sys.executable, "-c", text, str(port)], stderr=subprocess.PIPE, text=True, env=environment
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()


@pytest.fixture
def port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        number: int = found.getsockname()[1]
        return number


def answer(port: int, path: str) -> str:
    """The body, once the process listens."""
    until = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as response:
                return str(response.read().decode())
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def test_it_answers_and_ends_on_sigterm(port: int) -> None:
    with program(port) as process:
        assert json.loads(answer(port, "/healthz")) == {"status": "ok"}
        assert "grid_event_loop_lag_seconds" in answer(port, "/metrics")
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=60)
        assert process.returncode == 0
    lines = [json.loads(line) for line in log.splitlines()]
    assert any(line["event"] == "listening" and line["port"] == port for line in lines)
    assert any(line["event"] == "request" and line["path"] == "/docs" for line in lines) is False


def test_a_taken_port_is_told_by_name(port: int) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        with program(port) as process:
            _, log = process.communicate(timeout=60)
            assert process.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in log


def test_a_process_without_a_web_server_shows_its_metrics_where_told(port: int) -> None:
    with program(port, LOOP) as process:
        assert "grid_rows_total 7.0" in answer(port, "/metrics")
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0


TLS = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from services.chassis.asgi import create_app
    from services.chassis.ids import SystemIds
    from services.chassis.serve import Running, run
    from services.chassis.settings import HttpSettings
    from services.chassis.telemetry import Metrics, configure_logging

    configure_logging("test")

    async def build():
        folder = Path(sys.argv[3])
        http = HttpSettings(
            port=int(sys.argv[1]), https_port=int(sys.argv[2]), https_host="127.0.0.1",
            https_certificate=folder / "server.crt", https_key=folder / "server.key",
        )
        metrics = Metrics("test")
        app = create_app("test", http, [], ids=SystemIds(), metrics=metrics)
        return Running(app=app, http=http, metrics=metrics)

    sys.exit(run(build))
    """
)


def test_with_papers_it_listens_a_second_time_with_tls(tmp_path: Path) -> None:
    plain, with_tls = free_ports(2)
    papers = papers_for(tmp_path, [IPv4Address("127.0.0.1")], SystemClock().now())
    process = subprocess.Popen([sys.executable, "-c", TLS, str(plain), str(with_tls), str(tmp_path)])
    try:
        trusting = ssl.create_default_context(cafile=str(papers.authority))
        url = f"https://127.0.0.1:{with_tls}/healthz"
        deadline = time.monotonic() + 60
        while True:
            try:
                with urllib.request.urlopen(url, timeout=5, context=trusting) as answer:
                    assert answer.headers["strict-transport-security"]
                break
            except urllib.error.URLError:
                assert time.monotonic() < deadline
                time.sleep(0.1)
        with urllib.request.urlopen(f"http://127.0.0.1:{plain}/healthz", timeout=5) as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait(10)
