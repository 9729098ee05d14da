"""What leaves for the city platform: the right kind, no personal data, nearly nothing of a restricted case."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from schemas.envelope import Envelope
from schemas.events.case import CaseFactV1
from schemas.registry import decode
from schemas.webhook_bodies import hook_body, hook_of, ping_body
from schemas.webhooks import CASE_HOOKS, HOOKS, KINDS, HookDataV1
from services.governance.acts import FactKind
from services.governance.cycle import ClockKind, Intent

EXAMPLES = Path(__file__).parents[3] / "schemas" / "examples"


def event(kind: str, name: str = "plain") -> Envelope[CaseFactV1]:
    stored = json.loads((EXAMPLES / kind / "v1" / f"{name}.json").read_text("utf-8"))
    headers = {key: value.encode() for key, value in stored["headers"].items()}
    env = decode(headers, json.dumps(stored["data"]).encode())
    assert isinstance(env.data, CaseFactV1)
    return env  # type: ignore[return-value]


def changed(env: Envelope[CaseFactV1], **standing: object) -> CaseFactV1:
    return env.data.model_copy(update={"standing": env.data.standing.model_copy(update=standing)})


def data(kind: str, env: Envelope[CaseFactV1]) -> HookDataV1:
    body = hook_body(env, kind, sequence=4, category_name="暴露垃圾")
    assert body.type == kind  # type: ignore[attr-defined]
    return body.data  # type: ignore[attr-defined, no-any-return]


@pytest.mark.parametrize(
    ("fact", "kind"),
    [
        ("case.escalated", "case.escalated"),
        ("case.overdue", "case.overdue"),
        ("case.supervised", "case.supervised"),
        ("case.closed", "case.closed"),
        ("case.self_resolved", "case.closed"),
        ("case.unfounded", "case.closed"),
        ("case.reopened", "case.reopened"),
        ("case.merged", "case.merged"),
        ("case.unmerged", "case.unmerged"),
        ("case.signed", "case.signed"),
        ("case.returned", "case.return_requested"),
        ("case.not_filed", "case.return_requested"),
        ("case.declined", "case.return_requested"),
        ("case.extension_requested", "case.extension_requested"),
        ("case.fed_back", "case.fed_back"),
        ("case.absorbed", None),
        ("case.released", None),
        ("case.dispatched", None),
        ("case.reminded", None),
        ("case.recorded", None),
    ],
)
def test_which_fact_causes_which_kind(fact: str, kind: str | None) -> None:
    assert hook_of(fact, event(fact).data) == kind


def test_the_districts_own_breach_is_its_own_kind() -> None:
    fact = event("case.overdue").data
    assert fact.clock is not None
    late = fact.model_copy(update={"clock": fact.clock.model_copy(update={"kind": ClockKind.DISTRICT_RESPONSE})})
    assert hook_of("case.overdue", late) == "case.district_due"


def test_history_causes_nothing() -> None:
    assert hook_of("case.closed", changed(event("case.closed"), history=True)) is None


def test_every_cause_is_a_fact() -> None:
    facts = {kind.value for kind in FactKind}
    assert all(set(hook.FACTS) <= facts for hook in CASE_HOOKS)
    assert len(set(KINDS)) == len(HOOKS) == 13


def test_numbers_and_intent() -> None:
    told = data("case.overdue", event("case.overdue"))
    assert (told.sequence, told.case_sequence) == (4, event("case.overdue").sequence)
    assert told.intent is Intent.NOTICE
    assert data("case.escalated", event("case.escalated")).intent is Intent.WHISTLE
    assert data("case.closed", event("case.closed")).intent is None


def test_a_restricted_case_tells_only_class_and_community() -> None:
    told = data("case.overdue", event("case.overdue", "restricted"))
    assert told.restricted
    assert told.category is not None
    shown = told.location.model_dump(exclude_none=True, exclude={"crs"})
    assert shown == {"community": "441802001001"}
    assert (told.lead_unit, told.reason, told.actor_role, told.closed_as) == (None, None, None, None)


def test_no_account_and_no_report_leaves() -> None:
    for hook in CASE_HOOKS:
        env = event(hook.FACTS[0])
        text = hook_body(env, hook.KIND, sequence=1, category_name="暴露垃圾").model_dump_json()
        assert "a-zhiban" not in text
        assert env.data.standing.reports[0] not in text


def test_bodies_are_thin() -> None:
    for hook in CASE_HOOKS:
        body = hook_body(event(hook.FACTS[0]), hook.KIND, sequence=1, category_name="类" * 40)
        assert len(body.model_dump_json()) < 20_000


def test_ping() -> None:
    body = ping_body("wh-1", event("case.closed").time)
    assert (body.type, body.data.webhook_id) == ("test.ping", "wh-1")


def test_unknown_kind_is_refused() -> None:
    with pytest.raises(KeyError):
        hook_body(event("case.closed"), "case.imagined", sequence=1, category_name="")


def test_a_merged_case_names_its_master_unless_it_is_restricted() -> None:
    merged = event("case.merged", "into_its_master")
    assert data("case.merged", merged).master_case_no == "FC20260306-0005"
    hidden = replace(merged, data=changed(merged, restricted=True))
    assert data("case.merged", hidden).master_case_no is None
