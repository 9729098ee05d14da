"""Times of keeping that would lose or double something are refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from schemas.topics import TOPICS
from services.chassis.housekeeping import RetentionSettings
from services.chassis.topics import specs_of


def test_the_inbox_outlives_whatever_may_come_again() -> None:
    kept = RetentionSettings()
    assert (kept.outbox, kept.inbox) == (30, 45)
    longest = max(int(dict(spec.config)["retention.ms"]) for spec in specs_of(TOPICS, 1) if ".dlq" not in spec.name)
    assert kept.inbox > longest / 86_400_000
    assert kept.inbox > kept.outbox


@pytest.mark.parametrize(
    "values",
    [
        {"outbox": 29},
        {"inbox": 44},
        {"outbox": 40},
        {"deliveries": 20},
        {"every_s": 10},
        {"answers": 0},
    ],
)
def test_what_is_too_short_is_refused(values: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        RetentionSettings.model_validate(values)
