"""What is on offer, in which formats, and how refusals look."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from services.chassis.directory.model import Directory, Street
from services.intake.usecases.open311.asked import street_of
from services.intake.usecases.refusal import Refusal
from tests.integration.open311 import shapes
from tests.integration.open311.conftest import V2, Door
from tests.integration.open311.proving import proves

pytestmark = pytest.mark.anyio


@proves("xml", "json", "same", "services", "services-open", "services-unsure")
async def test_the_services(door: Door) -> None:
    told = await door.get("services", f"{V2}/services")
    codes = [service["service_code"] for service in told]
    assert len(set(codes)) == len(codes) > 30
    assert codes[-1] == "unsure"
    litter = next(service for service in told if service["service_code"] == "0110")
    assert (litter["type"], litter["metadata"]) == ("realtime", True)
    assert litter["service_name"] in litter["keywords"].split(",")


@proves("definition", "definition-values", "definition-conditions")
async def test_every_service_has_a_definition(door: Door) -> None:
    cache_book = await door.get("services", f"{V2}/services")
    for code in ("0110", "P0101", "unsure", cache_book[-2]["service_code"]):
        told = await door.get("definition", f"{V2}/services/{code}")
        assert told["service_code"] == code
        orders = [attribute["order"] for attribute in told["attributes"]]
        assert orders == sorted(set(orders))
        for attribute in told["attributes"]:
            keys = [value["key"] for value in attribute.get("values", [])]
            assert len(set(keys)) == len(keys)
    manhole = await door.get("definition", f"{V2}/services/P0101")
    condition = next(each for each in manhole["attributes"] if each["code"] == "condition")
    assert condition["values"][0] == {"key": "P0101.1", "name": "井盖缺失、移位或开裂"}
    assert [each["code"] for each in manhole["attributes"] if not each["variable"]] == ["notice"]


@proves("definition-unknown", "errors")
async def test_an_unknown_service(door: Door) -> None:
    told = await door.get("errors", f"{V2}/services/no-such", 404)
    assert told[0]["code"] == 404
    assert "service_code" in told[0]["description"]


@proves("jurisdiction-unknown")
async def test_an_unknown_jurisdiction(door: Door) -> None:
    paths = ("services", "services/0110", "requests", "requests/R1", "tokens/x")
    for path in paths:
        told = await door.get("errors", f"{V2}/{path}", 404, jurisdiction_id="nowhere.example")
        assert "jurisdiction_id" in told[0]["description"], path
    told = await door.refused(door.form(jurisdiction_id="nowhere.example"), 404)
    assert "jurisdiction_id" in told[0]
    known = await door.get("services", f"{V2}/services", jurisdiction_id="441802001")
    assert known == await door.get("services", f"{V2}/services")


@proves("jurisdiction-missing")
async def test_with_two_streets_one_has_to_be_named() -> None:
    streets = {code: Street(code, code, sample=False) for code in ("441802001", "441802002")}
    both = Directory(1, streets=streets)
    with pytest.raises(Refusal) as refused:
        street_of(None, both)
    assert (refused.value.status, refused.value.field) == (400, "jurisdiction_id")
    assert street_of("441802002", both) == "441802002"
    assert street_of(None, replace(both, streets={"441802002": streets["441802002"]})) == "441802002"


@proves("discovery", "discovery-leads", "times")
async def test_discovery_leads_to_the_services(door: Door) -> None:
    told = await door.get("discovery", "/open311/discovery")
    (endpoint,) = told["endpoints"]
    assert endpoint["type"] == "test", "the sample street is not acted upon"
    assert endpoint["formats"] == ["text/xml", "application/json"]
    assert told["changeset"].endswith("+08:00")
    path = urlsplit(endpoint["url"]).path
    assert await door.get("services", f"{path}/services") == await door.get("services", f"{V2}/services")


@proves("ending", "errors")
async def test_another_ending(door: Door) -> None:
    for path in ("services.html", "services", "services/0110.csv", "requests.rss", "requests/R1.txt", "nothing.json"):
        answer = await door.client.get(f"{V2}/{path}")
        assert answer.status_code == 404, path
        shapes.check("errors", answer.json())
    answer = await door.client.get(f"{V2}/nothing.xml")
    shapes.check("errors", shapes.of_xml("errors", answer.content))


@proves("errors-method", "errors")
async def test_another_method(door: Door) -> None:
    for method, path in (("PUT", "requests"), ("DELETE", "requests/R1"), ("POST", "services")):
        answer = await door.client.request(method, f"{V2}/{path}.xml")
        assert (answer.status_code, "allow" in answer.headers) == (405, True), path
        shapes.check("errors", shapes.of_xml("errors", answer.content))


@proves("errors-several")
async def test_several_faults_at_once(door: Door) -> None:
    told = await door.get("errors", f"{V2}/requests", 400, page="0", page_size="many")
    assert [error["description"].split(":")[0] for error in told] == ["page", "page_size"]


@proves("errors-language")
async def test_in_the_language_asked_for(door: Door) -> None:
    chinese = await door.refused(door.form(service_code="no-such"), 404)
    english = await door.refused(door.form(service_code="no-such"), 404, **{"accept-language": "en"})
    assert "没有" in chinese[0]
    assert english[0].isascii()
