"""The jars Kafka runs on: exact Maven coordinates with checksums from a lock file, fetched by jgo, kept in one cache.

`python -m services.chassis.engines.jars lock` writes the lock file anew from deploy/kafka/jars.in.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import logging
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from services.chassis.engines import EngineFailed, Say

FOLDER = Path(__file__).resolve().parents[3] / "deploy" / "kafka"
LOCK = FOLDER / "jars.lock"
WANTED = FOLDER / "jars.in"
PARALLEL = 6
TRIES = 3


@dataclass(frozen=True, slots=True)
class Jar:
    """One locked artifact."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def coordinate(self) -> str:
        return f"{self.group}:{self.artifact}:{self.version}"

    @property
    def path(self) -> PurePosixPath:
        """Where it lies inside a Maven repository, and so inside the cache."""
        folder = PurePosixPath(*self.group.split("."), self.artifact, self.version)
        return folder / f"{self.artifact}-{self.version}.jar"

    def intact(self, cache: Path) -> bool:
        file = cache / self.path
        return file.exists() and sha256_of(file) == self.sha256


def sha256_of(file: Path) -> str:
    """Checksum of a file, as the lock file has it."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_lock(lock: Path = LOCK) -> tuple[Jar, ...]:
    """The locked jars; a line is `group:artifact:version sha256:<hex>`."""
    jars = []
    for line in lock.read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        coordinate, _, checksum = line.partition(" sha256:")
        group, artifact, version = coordinate.split(":")
        jars.append(Jar(group, artifact, version, checksum.strip()))
    return tuple(jars)


def class_path(cache: Path, say: Say, lock: Path = LOCK) -> str:
    """Every locked jar, present and verified, as one class path. Fetches what is missing; raises EngineFailed."""
    jars = read_lock(lock)
    cache.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time(cache):
        missing = [jar for jar in jars if not jar.intact(cache)]
        if missing:
            _fetch_all(missing, cache, say)
    return ":".join(str(cache / jar.path) for jar in jars)


def _fetch_all(missing: Sequence[Jar], cache: Path, say: Say) -> None:
    say(f"Kafka: fetching {len(missing)} jars into {cache}")
    with ThreadPoolExecutor(PARALLEL) as pool:
        for done, jar in enumerate(pool.map(lambda each: fetch(each, cache), missing), 1):
            if done % 8 == 0 or done == len(missing):
                say(f"Kafka: {done} of {len(missing)} jars ({jar.artifact} {jar.version})")


def fetch(jar: Jar, cache: Path) -> Jar:
    """Bring one jar into the cache and verify it; raises EngineFailed."""
    from jgo.maven import MavenContext  # imported late: it costs a third of a second, and a warm start needs none of it

    logging.getLogger("jgo").setLevel(logging.ERROR)
    why: object = "its checksum differs from the lock file's"
    for _ in range(TRIES):
        (cache / jar.path).unlink(missing_ok=True)  # a download cut off looks complete to the resolver
        try:
            MavenContext(repo_cache=cache, timeout=60).create_dependency(jar.coordinate).artifact.resolve()
        except (OSError, RuntimeError) as error:  # requests' errors are OSErrors
            why = error
            continue
        if jar.intact(cache):
            return jar
        why = "its checksum differs from the lock file's"
    raise EngineFailed(f"cannot fetch {jar.coordinate}: {why}. Set KAFKA_URL to use a Kafka of your own")


@contextlib.contextmanager
def _one_at_a_time(cache: Path) -> Iterator[None]:
    """Two supervisors or test runs sharing a cache wait for each other's downloads."""
    with (cache / ".lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        yield


def write_lock(cache: Path, lock: Path = LOCK, wanted: Path = WANTED) -> int:
    """Resolve the wanted coordinates with all they need and write the lock file; answers the number of jars."""
    from jgo.maven import MavenContext

    context = MavenContext(repo_cache=cache, timeout=60)
    roots = [line for line in wanted.read_text().splitlines() if line and not line.startswith("#")]
    inputs, needed = context.resolver.resolve([context.create_dependency(root) for root in roots])
    lines = []
    for dependency in (*inputs, *needed):
        file = dependency.artifact.resolve()
        coordinate = f"{dependency.groupId}:{dependency.artifactId}:{dependency.version}"
        lines.append(f"{coordinate} sha256:{sha256_of(Path(file))}")
    lock.write_text("\n".join(["# Written by `python -m services.chassis.engines.jars lock`", *sorted(lines), ""]))
    return len(lines)


if __name__ == "__main__":
    if sys.argv[1:] != ["lock"]:
        sys.exit("usage: python -m services.chassis.engines.jars lock")
    from services.chassis.supervisor.settings import cache_folder

    sys.stdout.write(f"{write_lock(cache_folder() / 'maven')} jars locked\n")
