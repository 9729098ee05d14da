"""What the interface's description says of these routes beyond their parameters."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel

from schemas.api.open311 import ErrorOut

_FIELDS: Final = {
    "api_key": 200,
    "jurisdiction_id": 64,
    "service_code": 64,
    "lat": 30,
    "long": 30,
    "address_string": 200,
    "address_id": 64,
    "description": 4000,
    "media_url": 2000,
    "email": 200,
    "first_name": 100,
    "last_name": 100,
    "phone": 40,
    "external_id": 128,
    "extensions": 5,
    "attribute[condition]": 64,
    "attribute[danger]": 3,
    "attribute[landmark]": 200,
    "attribute[occurred_at]": 40,
}
"""Longest text of each field of the form, in characters."""


def form_described() -> dict[str, Any]:
    """The form of a new request."""
    fields = {name: {"type": "string", "maxLength": most} for name, most in _FIELDS.items()}
    schema = {"type": "object", "required": ["api_key", "service_code"], "properties": fields}
    content = {"application/x-www-form-urlencoded": {"schema": schema}}
    return {"requestBody": {"required": True, "content": content}}


def answers(model: Any) -> dict[str, Any]:
    """Keywords of a route that answers `model`, in both formats, errors in the standard's form."""
    also = {"content": {"text/xml": {"schema": {"type": "string"}}}}
    return {
        "response_model": model,
        "responses": {
            200: also,
            "4XX": {"model": list[ErrorOut], "description": "Refused: what is wrong, one entry each", **also},
            "5XX": {"model": list[ErrorOut], "description": "Failed", **also},
        },
    }


def listed(model: type[BaseModel]) -> Any:
    """A list of them."""
    return list[model]  # type: ignore[valid-type] # a type made at run time, for the description alone
