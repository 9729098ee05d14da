"""Bodies of Open311 GeoReport v2: names and nesting are the standard's, whatever the house calls the same things.

What the standard does not know stands in `extended_attributes` and `notes`, and only where a client asked for it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from schemas.api.base import CLEAN, Out, Url
from schemas.api.intake import ReportIn

DESCRIPTION_MAX = 4000
_TEXT_MAX = 12_000  # the description, and below it a line per answered attribute and one for the link to a picture

When = Annotated[str, Field(json_schema_extra={"format": "date-time"}, examples=["2026-03-02T09:30:00+08:00"])]
Datatype = Literal["string", "number", "datetime", "text", "singlevaluelist", "multivaluelist"]
Status = Literal["open", "closed"]


class FiledIn(ReportIn):
    """A report as this door makes it: its words may be as long as the standard lets them be."""

    text: Annotated[str, Field(max_length=_TEXT_MAX), *CLEAN] = ""


class FormIn(Out):
    """What is taken of a filled-in form as it stands. Empty and missing are the same."""

    description: Annotated[str, Field(max_length=DESCRIPTION_MAX), *CLEAN] = ""
    media_url: Url | None = None
    external_id: Annotated[str, Field(max_length=128), *CLEAN] = ""
    first_name: Annotated[str, Field(max_length=100), *CLEAN] = ""
    last_name: Annotated[str, Field(max_length=100), *CLEAN] = ""
    phone: Annotated[str, Field(max_length=40), *CLEAN] = ""
    email: Annotated[str, Field(max_length=200), *CLEAN] = ""
    lat: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)] | None = None
    long: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)] | None = None


class ServiceOut(Out):
    """A class of matter that can be asked for."""

    service_code: str
    service_name: str
    description: str
    metadata: bool = Field(description="true: the definition names attributes")
    type: Literal["realtime"] = "realtime"
    keywords: str
    group: str


class ValueOut(Out):
    """One choice of an attribute."""

    key: str
    name: str


class AttributeOut(Out):
    """One question of a service; with `variable` false a notice to show."""

    variable: bool
    code: str
    datatype: Datatype
    required: bool
    datatype_description: str | None = None
    order: int
    description: str
    values: tuple[ValueOut, ...] | None = None


class DefinitionOut(Out):
    """What a service asks for beyond place and description."""

    service_code: str
    attributes: tuple[AttributeOut, ...]


class NoteOut(Out):
    """One public step of a request."""

    datetime: When
    type: str
    description: str
    state: str
    stage: str


class ExtendedOut(Out):
    """How a request stands, in the street's own states."""

    state: str | None = None
    state_name: str | None = None
    stage: str | None = None
    stage_name: str | None = None
    community: str | None = None
    case_no: str | None = None
    external_id: str | None = None


class RequestOut(Out):
    """One request. `extended_attributes` and `notes` only with `extensions=true`."""

    service_request_id: str
    status: Status
    status_notes: str | None = None
    service_name: str | None = None
    service_code: str
    description: str | None = None
    agency_responsible: str | None = None
    service_notice: str | None = None
    requested_datetime: When
    updated_datetime: When | None = None
    expected_datetime: When | None = None
    address: str | None = None
    address_id: str | None = None
    zipcode: str | None = None
    lat: float | None = None
    long: float | None = None
    media_url: str | None = None
    extended_attributes: ExtendedOut | None = None
    notes: tuple[NoteOut, ...] | None = None


class ReceiptOut(Out):
    """The house's own receipt."""

    token: str
    track_url: str
    expected_datetime: When | None = None


class CreatedOut(Out):
    """Answer to a new request; `extended_attributes` only with `extensions=true`."""

    service_request_id: str
    service_notice: str | None = None
    account_id: str | None = None
    extended_attributes: ReceiptOut | None = None


class TokenOut(Out):
    """The request that a token stands for."""

    service_request_id: str
    token: str


class ErrorOut(Out):
    """One thing that is wrong; `code` is the answer's status."""

    code: int
    description: str


class EndpointOut(Out):
    """One interface of this provider."""

    specification: str
    url: str
    changeset: str
    type: Literal["production", "test"]
    formats: tuple[str, ...]


class DiscoveryOut(Out):
    """Where the interface is and how to get in."""

    changeset: str
    contact: str
    key_service: str
    endpoints: tuple[EndpointOut, ...]
