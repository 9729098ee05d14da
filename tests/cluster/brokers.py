"""Three Kafka brokers as an administrator runs them: a KRaft cluster, each a process of its own, one may be killed."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import signal
import socket
import subprocess
import time
from base64 import urlsafe_b64encode
from pathlib import Path

from services.chassis.engines import Launch, jars
from services.chassis.engines.kafka import JVM, java
from services.chassis.engines.process import run_helper, spawn, stop, tail
from services.chassis.kafka import KafkaAddress
from services.chassis.kafka_server import read_facts
from services.chassis.supervisor.settings import cache_folder
from tests.support.stand import free_ports

COUNT = 3
HOST = "127.0.0.1"
READY_WITHIN_S = 120.0
HEAP = ("-Xms64m", "-Xmx300m")
PROPERTIES = """\
process.roles=broker,controller
node.id={node}
controller.quorum.voters={voters}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
unclean.leader.election.enable=false
default.replication.factor=3
min.insync.replicas=2
offsets.topic.num.partitions=12
offsets.topic.replication.factor=3
transaction.state.log.num.partitions=3
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
num.network.threads=2
num.io.threads=4
log.segment.bytes=67108864
log.index.size.max.bytes=2097152
log.cleaner.dedupe.buffer.size=8388608
"""
"""Replication for three brokers; time-outs and elections are Kafka's own defaults, as on a server."""


class OwnKafka:
    """The cluster below `home`. `start` waits until every broker takes requests."""

    def __init__(self, home: Path, lock: Path | None = None, cache: Path | None = None) -> None:
        self.home = home
        self.home.mkdir(parents=True, exist_ok=True)
        ports = free_ports(2 * COUNT)
        self._ports, self._controllers = ports[:COUNT], ports[COUNT:]
        self._class_path = jars.class_path(cache or cache_folder() / "maven", lambda _line: None, lock or jars.LOCK)
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    @property
    def url(self) -> str:
        """KAFKA_URL with all three."""
        return "kafka://" + ",".join(f"{HOST}:{port}" for port in self._ports)

    def start(self) -> None:
        cluster = urlsafe_b64encode(secrets.token_bytes(16)).rstrip(b"=").decode().replace("-", "A")
        for node in range(1, COUNT + 1):
            self._prepare(node, cluster)
            self.start_one(node)
        for node in range(1, COUNT + 1):
            self.wait_for(node)
        until = time.monotonic() + READY_WITHIN_S
        while asyncio.run(read_facts(KafkaAddress.parse(self.url))).brokers < COUNT:
            assert time.monotonic() < until, "the brokers never made a cluster"
            time.sleep(0.2)

    def start_one(self, node: int) -> None:
        """Start a broker on the data it has; does not wait."""
        argv = self._java("kafka.Kafka", str(self._properties(node)))
        self._processes[node] = spawn(Launch(argv, _ENVIRONMENT, self.home), self.log(node))

    def kill(self, node: int) -> None:
        """kill -9, and gone when this returns."""
        process = self._processes.pop(node)
        process.kill()
        process.wait(30)

    def wait_for(self, node: int) -> None:
        """Until its port is open, which a broker opens last."""
        until = time.monotonic() + READY_WITHIN_S
        while not self._open(node):
            if self._processes[node].poll() is not None or time.monotonic() > until:
                raise AssertionError(f"broker {node} did not start:\n" + "\n".join(tail(self.log(node))))
            time.sleep(0.1)

    def stop(self) -> None:
        """All of them, at once: nobody reads these data again."""
        for process in self._processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self._processes.values():
            stop(process, ((signal.SIGTERM, 5.0),))
        self._processes.clear()

    def log(self, node: int) -> Path:
        return self.home / f"broker-{node}.log"

    def _prepare(self, node: int, cluster: str) -> None:
        voters = ",".join(f"{n}@{HOST}:{port}" for n, port in enumerate(self._controllers, 1))
        text = PROPERTIES.format(
            node=node,
            voters=voters,
            host=HOST,
            port=self._ports[node - 1],
            controller=self._controllers[node - 1],
            data=self.home / f"data-{node}",
        )
        self._properties(node).write_text(text)
        shutil.rmtree(self.home / f"data-{node}", ignore_errors=True)
        argv = self._java("kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(self._properties(node)))
        done = run_helper(Launch(argv, _ENVIRONMENT, self.home))
        assert done.returncode == 0, done.stderr or done.stdout

    def _java(self, main: str, *arguments: str) -> tuple[str, ...]:
        options = [word for word in JVM if not word.startswith("-Xm")]
        return (str(java()), *HEAP, *options, "-cp", self._class_path, main, *arguments)

    def _properties(self, node: int) -> Path:
        return self.home / f"broker-{node}.properties"

    def _open(self, node: int) -> bool:
        try:
            with socket.create_connection((HOST, self._ports[node - 1]), 0.2):
                return True
        except OSError:
            return False


_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
