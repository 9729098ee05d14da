"""Where an engine may stand: the unprivileged account it runs as under root, and folders that account can reach.

No user is added and no existing folder is loosened: where GRID_HOME lies behind a closed folder (a 0700 home), the
engine's files go to a place of their own, and GRID_HOME records where.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pwd
import stat
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from services.chassis.engines import EngineFailed

ACCOUNTS = ("nobody", "daemon")
FALLBACK = Path("/var/lib/grid-governance")
SOCKET_PATH_LIMIT = 100
"""The kernel takes 107 bytes; a little is kept for lock files beside the socket."""


@dataclass(frozen=True, slots=True)
class Account:
    """An existing account without rights."""

    name: str
    uid: int
    gid: int


def engine_account() -> Account | None:
    """Whom engines run as: ourselves (None), or under root the first account without rights that exists."""
    if os.geteuid() != 0:
        return None
    for name in ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise EngineFailed(
        f"PostgreSQL refuses to run as root and there is no account {' or '.join(ACCOUNTS)}: run as a user"
    )


def reaches(path: Path, account: Account | None) -> bool:
    """Whether the account may pass every folder down to `path` (and read it, if it is a folder)."""
    if account is None:
        return os.access(path, os.R_OK | os.X_OK) if path.exists() else os.access(path.parent, os.X_OK)
    resolved = path.resolve()
    folders = [*resolved.parents, *([resolved] if resolved.is_dir() else [])]
    return all(_may_pass(folder, account) for folder in folders)


def _may_pass(folder: Path, account: Account) -> bool:
    status = folder.stat()
    if status.st_uid == account.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == account.gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


def make_home(home: Path) -> Path:
    """GRID_HOME, made if missing so that others may pass through it but not list it. An existing one is left alone."""
    if not home.exists():
        home.mkdir(parents=True, mode=0o711)
        home.chmod(0o711)
    return home.resolve()


def place_for(home: Path, name: str, account: Account | None) -> Path:
    """The engine's own folder: inside GRID_HOME if the account can get there, else below /var/lib (and recorded)."""
    record = home / f"{name}.place"
    if record.exists():
        place = Path(record.read_text().strip())
    elif reaches(home, account):
        place = home / name
    else:
        place = FALLBACK / digest(home) / name
    place.mkdir(parents=True, exist_ok=True)
    if not reaches(place, account):
        raise EngineFailed(
            f"{account.name if account else 'this user'} cannot reach {place}: set GRID_HOME to a folder it can"
        )
    if not record.exists():
        record.write_text(f"{place}\n")
    return place


def socket_folder(home: Path, account: Account | None) -> Path:
    """Where the engine's socket lies: inside GRID_HOME if the path is short enough for the kernel, else below /tmp."""
    inside = home / "run" / "pg"
    fits = len(str(inside)) + len("/.s.PGSQL.5432") < SOCKET_PATH_LIMIT
    return inside if fits and reaches(home, account) else Path("/tmp") / f"grid-{digest(home)}"  # noqa: S108 - see below


def make_socket_folder(folder: Path, account: Account | None) -> None:
    """Make it, the account's own; one that somebody else has planted is refused."""
    folder.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    owner = account.uid if account else os.geteuid()
    try:
        folder.mkdir(mode=0o711)
    except FileExistsError:
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid not in (owner, os.geteuid()):
            raise EngineFailed(f"{folder} belongs to somebody else: remove it or choose another GRID_HOME") from None
    give(folder, account)


def give(path: Path, account: Account | None) -> None:
    """Hand a file or folder to the engine's account."""
    if account is not None:
        os.chown(path, account.uid, account.gid)


def keep_secret(file: Path, make: Callable[[], str]) -> str:
    """The text of a generated secret, made on first use, readable by us alone; of two that make it the first wins."""
    if not file.exists():
        file.parent.mkdir(mode=0o700, exist_ok=True)
        fd, fresh = tempfile.mkstemp(dir=file.parent)  # 0600
        with os.fdopen(fd, "w") as out:
            out.write(make())
        with contextlib.suppress(FileExistsError):
            os.link(fresh, file)
        os.unlink(fresh)
    return file.read_text()


def digest(home: Path) -> str:
    """A short name for this GRID_HOME, the same at every start."""
    return hashlib.sha256(os.fsencode(home.resolve())).hexdigest()[:12]
