"""The shape of every answer, written down twice and on its own: as JSON Schema, and as what XML must look like.

`of_xml` reads XML by the names alone, as a client does, and gives what JSON should have said.
"""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from jsonschema import Draft202012Validator, FormatChecker

TEXT = {"type": "string", "minLength": 1}
MAYBE = {"type": ["string", "null"]}
ANGLE = {"type": ["number", "null"]}
TIME = {
    "type": "string",
    "format": "date-time",
    "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$",
}
MAYBE_TIME = {"anyOf": [TIME, {"type": "null"}]}
STATUS = {"enum": ["open", "closed"]}


def _object(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **(optional or {})},
        "additionalProperties": False,
    }


def _list(item: dict[str, Any], least: int = 0) -> dict[str, Any]:
    return {"type": "array", "items": item, "minItems": least}


SERVICE = _object(
    {
        "service_code": TEXT,
        "service_name": TEXT,
        "description": TEXT,
        "metadata": {"type": "boolean"},
        "type": {"enum": ["realtime", "batch", "blackbox"]},
        "keywords": TEXT,
        "group": TEXT,
    }
)
VALUE = _object({"key": TEXT, "name": TEXT})
_ASKED = {
    "variable": {"type": "boolean"},
    "code": TEXT,
    "required": {"type": "boolean"},
    "datatype_description": MAYBE,
    "order": {"type": "integer", "minimum": 1},
    "description": TEXT,
}
_LISTS = ["singlevaluelist", "multivaluelist"]
ATTRIBUTE = {
    "oneOf": [
        _object({**_ASKED, "datatype": {"enum": ["string", "number", "datetime", "text"]}}),
        _object({**_ASKED, "datatype": {"enum": _LISTS}, "values": _list(VALUE, 1)}),
    ]
}
DEFINITION = _object({"service_code": TEXT, "attributes": _list(ATTRIBUTE)})
NOTE = _object({"datetime": TIME, "type": TEXT, "description": TEXT, "state": TEXT, "stage": TEXT})
EXTENDED = _object(
    dict.fromkeys(("state", "state_name", "stage", "stage_name", "community", "case_no", "external_id"), MAYBE)
)
_REQUEST: dict[str, Any] = {
    "service_request_id": TEXT,
    "status": STATUS,
    "status_notes": MAYBE,
    "service_name": MAYBE,
    "service_code": TEXT,
    "description": MAYBE,
    "agency_responsible": MAYBE,
    "service_notice": MAYBE,
    "requested_datetime": TIME,
    "updated_datetime": MAYBE_TIME,
    "expected_datetime": MAYBE_TIME,
    "address": MAYBE,
    "address_id": MAYBE,
    "zipcode": MAYBE,
    "lat": ANGLE,
    "long": ANGLE,
    "media_url": MAYBE,
}
CREATED = _object({"service_request_id": TEXT, "service_notice": MAYBE, "account_id": MAYBE})
RECEIPT = _object({"token": TEXT, "track_url": TEXT, "expected_datetime": MAYBE_TIME})
ENDPOINT = _object(
    {
        "specification": {"const": "http://wiki.open311.org/GeoReport_v2"},
        "url": TEXT,
        "changeset": TEXT,
        "type": {"enum": ["production", "test"]},
        "formats": _list({"enum": ["text/xml", "application/json"]}, 1),
    }
)

ANSWERS: dict[str, dict[str, Any]] = {
    "services": _list(SERVICE, 1),
    "definition": DEFINITION,
    "requests": _list(_object(_REQUEST)),
    "extended": _list(_object({**_REQUEST, "extended_attributes": EXTENDED}, {"notes": _list(NOTE)})),
    "created": _list(CREATED, 1),
    "receipt": _list(_object({**CREATED["properties"], "extended_attributes": RECEIPT}), 1),
    "token": _list(_object({"service_request_id": TEXT, "token": TEXT}), 1),
    "errors": _list(_object({"code": {"type": "integer"}, "description": TEXT}), 1),
    "discovery": _object({"changeset": TEXT, "contact": TEXT, "key_service": TEXT, "endpoints": _list(ENDPOINT, 1)}),
}
ROOTS = {
    "services": "services",
    "definition": "service_definition",
    "requests": "service_requests",
    "extended": "service_requests",
    "created": "service_requests",
    "receipt": "service_requests",
    "token": "service_requests",
    "errors": "errors",
    "discovery": "discovery",
}
_ITEMS = {
    "services": "service",
    "service_requests": "request",
    "errors": "error",
    "attributes": "attribute",
    "values": "value",
    "notes": "note",
    "endpoints": "endpoint",
    "formats": "format",
}
_NUMBERS = frozenset({"lat", "long", "order"})
_FLAGS = frozenset({"metadata", "variable", "required"})


def check(kind: str, told: Any) -> None:
    """Fails with the place and the reason where an answer has another shape."""
    validator = Draft202012Validator(ANSWERS[kind], format_checker=FormatChecker())
    faults = [f"{fault.json_path}: {fault.message}" for fault in validator.iter_errors(told)]
    assert not faults, faults


def of_xml(kind: str, body: bytes) -> Any:
    """What an XML answer says. AssertionError for another root, a namespace, an attribute, loose text."""
    assert body.startswith(b'<?xml version="1.0" encoding="UTF-8"?>'), body[:60]
    root = ElementTree.fromstring(body.decode("utf-8").encode("utf-8"))
    assert root.tag == ROOTS[kind]
    return _said(root)


def _said(element: ElementTree.Element) -> Any:
    name, inner = element.tag, list(element)
    assert not element.attrib, name
    assert "{" not in name, "a namespace"
    if name in _ITEMS:
        assert {each.tag for each in inner} <= {_ITEMS[name]}, name
        return [_said(each) for each in inner]
    if inner:
        assert not (element.text or "").strip(), name
        assert len({each.tag for each in inner}) == len(inner), f"{name} says something twice"
        return {each.tag: _said(each) for each in inner}
    return _value(name, element.text)


def _value(name: str, text: str | None) -> Any:
    if text is None:
        return None
    if name in _FLAGS:
        return {"true": True, "false": False}[text]
    if name in _NUMBERS:
        return float(text)
    return int(text) if name == "code" and text.isdigit() and len(text) == 3 else text
