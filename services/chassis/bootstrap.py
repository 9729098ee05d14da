"""Sets up a fresh clone with nothing but Python and its standard library; `make` calls it.

`python3 services/chassis/bootstrap.py environment run web dev` makes `.venv` and installs those locked groups;
`… browser` sees to it that the browser tests have a browser and Chinese fonts.
Every missing thing is named with the command that adds it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
OLDEST = (3, 11)
APT_PACKAGES = {"chromium": "chromium", "fonts-noto-cjk": ""}
"""Debian package → the program that shows it is there; fonts are looked for as files."""


def main(words: list[str]) -> None:
    """Do what the Makefile asks."""
    if words[:1] == ["environment"]:
        make_environment(words[1:] or ["run"])
    elif words == ["browser"]:
        provide_browser()
    else:
        give_up(__doc__ or "", "")


def make_environment(groups: list[str]) -> None:
    """A virtual environment with the locked packages of the groups, and the checkout importable in it."""
    if sys.version_info < OLDEST:
        found = ".".join(map(str, sys.version_info[:3]))
        give_up(f"Python {found} is too old, 3.11 is the oldest that works", "make PYTHON=python3.11 (or newer)")
    if not _works(PYTHON):
        say("making .venv")
        _need_venv()
        shutil.rmtree(VENV, ignore_errors=True)
        run([sys.executable, "-m", "venv", str(VENV)])
    locks = [ROOT / "requirements" / f"{group}.txt" for group in groups]
    missing = [lock.name for lock in locks if not lock.exists()]
    if missing:
        give_up(f"no such lock file in requirements/: {', '.join(missing)}", "")
    say(f"installing the locked packages: {', '.join(groups)}")
    _install(locks)
    _link_checkout()


def _need_venv() -> None:
    try:
        import ensurepip  # noqa: F401 - Debian leaves it out of python3
        import venv  # noqa: F401
    except ImportError:
        minor = f"python3.{sys.version_info[1]}-venv" if sys.prefix == "/usr" else "python3-venv"
        give_up("this Python has no venv", f"apt-get install -y {minor}")


def _install(locks: list[Path]) -> None:
    """By uv (itself from a lock), else by pip; both refuse what does not match the locked hashes."""
    requirements = [word for lock in locks for word in ("-r", str(lock))]
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "install", "--require-hashes"]
    uv = VENV / "bin" / "uv"
    if not _works(uv):
        if not any((VENV / "bin").glob("pip*")):  # an environment made by another tool
            run([str(PYTHON), "-m", "ensurepip", "--default-pip"])
        run([*pip, "--quiet", "-r", str(ROOT / "requirements" / "tools.txt")])
    env = dict(os.environ)  # noqa: TID251 - a setting of the installer's, handed on as it is
    env |= {"VIRTUAL_ENV": str(VENV), "UV_SYSTEM_CERTS": "true"}
    index = subprocess.run(  # noqa: S603
        [str(PYTHON), "-m", "pip", "config", "get", "global.index-url"], capture_output=True, text=True, check=False
    ).stdout.strip()
    if index and "UV_DEFAULT_INDEX" not in env:
        env["UV_DEFAULT_INDEX"] = index  # a mirror set up for pip counts for uv too
    done = subprocess.run(  # noqa: S603
        [str(uv), "pip", "install", "--require-hashes", "--no-config", *requirements], env=env, check=False
    )
    if done.returncode:
        say("uv could not install them, trying pip")
        run([*pip, *requirements])


def _link_checkout() -> None:
    """`services` and `schemas` import from anywhere, and `.venv/bin/grid` is the command line."""
    folder = Path(sysconfig.get_path("purelib", "venv", vars={"base": str(VENV), "platbase": str(VENV)}))
    (folder / "grid_governance.pth").write_text(f"{ROOT}\n")
    script = VENV / "bin" / "grid"
    script.write_text(f"#!{PYTHON}\nfrom services.chassis.grid import main\n\nmain()\n")
    script.chmod(0o755)


def provide_browser() -> None:
    """Chromium and Chinese fonts from Debian's packages: installed under root, else named."""
    missing = [package for package, program in APT_PACKAGES.items() if not _there(package, program)]
    if not missing:
        return
    line = f"apt-get update && apt-get install -y --no-install-recommends {' '.join(missing)}"
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        give_up(f"the browser tests need {' and '.join(missing)}", line)
    say(f"installing {', '.join(missing)} for the browser tests")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}  # noqa: TID251 - handed on as it is
    subprocess.run(["apt-get", "-q", "update"], env=quiet, check=False)  # noqa: S607 - Debian's
    install = ["apt-get", "-qq", "install", "-y", "--no-install-recommends", *missing]
    if subprocess.run(install, env=quiet, check=False, stdout=subprocess.DEVNULL).returncode:  # noqa: S603
        give_up(f"apt-get could not install {' and '.join(missing)}", line)


def _there(package: str, program: str) -> bool:
    if program:
        return shutil.which(program) is not None
    return any(Path("/usr/share/fonts").rglob("*CJK*")) and bool(package)


def _works(program: Path) -> bool:
    if not program.exists():
        return False
    return subprocess.run([str(program), "--version"], capture_output=True, check=False).returncode == 0  # noqa: S603


def run(command: list[str]) -> None:
    """Run a step; its failure is ours."""
    if subprocess.run(command, check=False).returncode:  # noqa: S603
        give_up(f"this failed: {' '.join(command)}", "")


def say(line: str) -> None:
    """Progress, for whoever waits."""
    sys.stdout.write(f"setup: {line}\n")
    sys.stdout.flush()


def give_up(problem: str, remedy: str) -> NoReturn:
    """Name the problem and the command that mends it."""
    sys.stderr.write(f"setup: {problem}\n" + (f"setup: → {remedy}\n" if remedy else ""))
    sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
