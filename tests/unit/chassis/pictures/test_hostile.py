"""The corpus of hostile pictures: each ends as a clean picture or as a named refusal, in bounded memory and time."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.chassis.pictures.confine import CPU_S
from services.chassis.pictures.shelf import mime_of
from services.chassis.pictures.workshop import BrokenImage, outcome
from tests.support.cleaned import faults_of
from tests.support.hostile import CLEAN, Hostile, corpus

MEGABYTES = 700
"""Resident at most; the limit itself is on addresses."""
CORPUS = {one.name: one for one in corpus()}


@dataclass(frozen=True)
class End:
    """What came of one."""

    word: str
    seconds: float
    megabytes: float
    pictures: tuple[Path, Path]


@pytest.fixture(scope="module")
def ends(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, End]:
    folder = tmp_path_factory.mktemp("hostile")
    names = {}
    for n, one in enumerate(CORPUS.values()):
        if mime_of(one.content[:12]) == one.mime:  # nobody else reaches the child
            (folder / f"{n:03d}.in").write_bytes(one.content)
            names[f"{n:03d}"] = one.name
    ran = subprocess.run(
        [sys.executable, "-m", "tests.support.sanitising", str(folder)], capture_output=True, text=True, timeout=300
    )
    assert ran.returncode == 0, ran.stderr
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    return {names[line["name"]]: _end(line, folder) for line in lines}


def _end(line: Mapping[str, object], folder: Path) -> End:
    code, name = line["code"], line["name"]
    assert isinstance(code, int)
    try:
        outcome(code, str(line["said"]))
        word = CLEAN
    except BrokenImage as broken:
        word = broken.reason
    pictures = (folder / f"{name}.full", folder / f"{name}.thumb")
    return End(word, float(str(line["seconds"])), float(str(line["megabytes"])), pictures)


@pytest.mark.parametrize("one", CORPUS.values(), ids=CORPUS)
def test_each_ends_clean_or_is_refused_by_name(one: Hostile, ends: Mapping[str, End]) -> None:
    end = ends.get(one.name)
    if end is None:
        announced = mime_of(one.content[:12])
        assert one.outcomes == {"not_an_image" if announced is None else "not_as_announced"}
        return
    assert end.word in one.outcomes
    assert end.seconds < CPU_S
    assert end.megabytes < MEGABYTES
    if end.word == CLEAN:
        assert [faults_of(path.read_bytes()) for path in end.pictures] == [[], []]


def test_the_corpus_is_the_same_each_time() -> None:
    assert [one.content for one in corpus()] == [one.content for one in CORPUS.values()]
    assert {word for one in CORPUS.values() for word in one.outcomes} >= {
        CLEAN,
        "damaged",
        "not_an_image",
        "not_as_announced",
        "too_many_pixels",
    }
