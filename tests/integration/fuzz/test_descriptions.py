"""Whatever a client sends that fits a service's description, or nearly: no answer is a fault of ours, each is as the
description says, and every refusal is a problem in the house's form, or in Open311's where that is spoken.

Examples are made from the seed alone, so each run asks the same; `--long` asks many more.
"""

from __future__ import annotations

from collections.abc import Iterator
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from services.chassis.migrate import migrate
from tests.integration.fuzz.ground import Ground, ground_at
from tests.support.postgres import TestServer

SEED = 20260302
FEW, MANY = 4, 60
"""Examples for each operation."""
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
ENDLESS = frozenset({"/api/v1/events"})
PAIRS = frozenset({"/api/v1/calendar"})
"""Its answer is made of pairs, whose description (`prefixItems`) the reader of descriptions mistakes."""
WHO = {"intake": "RP", "dispatch": "DC", "escalation": "AD"}
"""Who asks: who finds most doors open."""
OPEN311 = "/open311/"
PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def ground(postgres: TestServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    template = postgres.template("grid_test_template", lambda at: (migrate(at, test_database=True), None)[1])
    name = postgres.copy_of(template)
    with ground_at(postgres.url(name), tmp_path_factory.mktemp("fuzz")) as ground:
        yield ground
    postgres.drop(name)


@pytest.mark.parametrize("service", sorted(WHO))
def test_every_operation_answers_as_described(ground: Ground, service: str) -> None:
    _ask_all(ground, service, FEW)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("service", sorted(WHO))
def test_every_operation_answers_as_described_many_times(ground: Ground, service: str) -> None:
    _ask_all(ground, service, MANY)


def _ask_all(ground: Ground, service: str, examples: int) -> None:
    described = schemathesis.openapi.from_dict(ground.world.apps[service].openapi())
    faults: dict[str, str] = {}
    asked: dict[str, int] = {}
    with requests.Session() as session:
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for result in described.get_all_operations():
            assert isinstance(result, Ok), result.err()
            operation = result.ok()
            if operation.path not in ENDLESS:
                asker = _Asker(ground, service, session, faults)
                asker.ask(operation, examples)
                asked[operation.label] = asker.answered
    assert not faults, "\n\n".join(faults.values())
    silent = [label for label, times in asked.items() if times == 0]
    assert not silent, f"nothing was asked of {silent}"


class _Asker:
    """Asks one operation after another and notes what is wrong, once for each kind of fault."""

    def __init__(self, ground: Ground, service: str, session: requests.Session, faults: dict[str, str]) -> None:
        self._ground = ground
        self._service = service
        self._session = session
        self._faults = faults
        self.answered = 0

    def ask(self, operation: Any, examples: int) -> None:
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

            @seed(SEED)
            @settings(
                max_examples=max(1, examples // 2),
                database=None,
                deadline=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @given(case=operation.as_strategy(generation_mode=mode), known=st.booleans())
            def each(case: Any, known: bool) -> None:
                self._once(case, known=known)

            try:
                each()
            except Unsatisfiable:  # nothing wrong can be said to an operation that takes nothing
                assert mode is GenerationMode.NEGATIVE, operation.label

    def _once(self, case: Any, *, known: bool) -> None:
        """`known`: about something that is there, where the path names something."""
        names = self._ground.world.names | {"format": "json"}
        if known:
            case.path_parameters.update({name: names[name] for name in case.path_parameters if name in names})
        own = self._ground.world.own
        headers = dict(own["open311"] if case.operation.path.startswith(OPEN311) else own[WHO[self._service]])
        base = self._ground.addresses[self._service]
        headers = {name: value.replace("http://localhost", base) for name, value in headers.items()}
        try:
            answer = case.call(base_url=base, session=self._session, headers=headers, timeout=PATIENCE_S)
            self.answered += 1
            case.validate_response(answer, checks=_checks(case.operation.path))
            _in_the_houses_form(case, answer)
        except (Exception, FailureGroup) as fault:  # noqa: BLE001 - collected, so that one run tells all
            told = _told(fault)
            self._faults.setdefault(f"{case.operation.label} {told[:80]}", f"{case.operation.label}\n{told}")


def _checks(path: str) -> list[Any]:
    return [check for check in CHECKS if path not in PAIRS or check is not response_schema_conformance]


def _in_the_houses_form(case: Any, answer: Any) -> None:
    if answer.status_code < 400:
        return
    media = answer.headers["content-type"][0]
    if case.operation.path.startswith(OPEN311):
        assert media.startswith(("application/json", "text/xml")), media
        assert '"description"' in answer.text or "<description>" in answer.text
    elif case.method != "HEAD":
        assert media == "application/problem+json", media
        body = answer.json()
        assert body["code"], body
        assert body["title"], body


def _told(fault: BaseException) -> str:
    kinds = "; ".join(str(part).splitlines()[0] for part in getattr(fault, "exceptions", ()))
    return f"{kinds}\n{str(fault)[:1500]}"
