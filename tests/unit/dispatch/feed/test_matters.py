"""What the feed tells: believable, and the same for the same seed."""

from __future__ import annotations

import random
import tomllib
from pathlib import Path

import pytest

from services.dispatch.feed.matters import SENTENCES, WEIGHTS, Kind, Spot, draw_matter

RULEBOOK = Path(__file__).parents[4] / "deploy" / "rulebooks" / "fengcheng.toml"
SPOTS = [Spot("东门巷", "441802001001001", 113.06, 23.69), Spot("听翠巷", "441802001001002", 113.05, 23.70)]


def _kinds() -> list[Kind]:
    book = tomllib.loads(RULEBOOK.read_text("utf-8"))
    return [Kind("s", "1", one["code"], one["tile"]) for one in book["categories"]]


def test_every_sentence_belongs_to_a_class_of_the_rulebook() -> None:
    assert set(SENTENCES) <= {kind.code for kind in _kinds()}
    assert {kind.tile for kind in _kinds() if kind.code in SENTENCES} == set(WEIGHTS)


def test_the_same_seed_tells_the_same_matters() -> None:
    def told(seed: int) -> list[str]:
        rng = random.Random(seed)
        return [draw_matter(rng, _kinds(), SPOTS).text for _ in range(50)]

    assert told(1) == told(1)
    assert told(1) != told(2)


def test_a_matter_names_its_place_and_fits_its_class() -> None:
    rng = random.Random(3)
    for _ in range(300):
        matter = draw_matter(rng, _kinds(), SPOTS)
        assert matter.spot.name in matter.text
        if matter.kind is not None:
            assert matter.text in {one.format(place=matter.spot.name) for one in SENTENCES[matter.kind.code]}
        if matter.danger:
            assert matter.done_with is None


def test_a_street_without_places_has_nothing_to_report() -> None:
    with pytest.raises(ValueError, match="nothing to report"):
        draw_matter(random.Random(1), _kinds(), [])
