"""The discovery document: where the interface is, how fresh its services are, how to get a key."""

from __future__ import annotations

from datetime import datetime

from schemas.api.open311 import DiscoveryOut, EndpointOut
from schemas.labels import Labels
from services.chassis.directory.model import Directory
from services.intake.usecases.open311.view import when
from services.intake.usecases.open311.wire import FORMATS

SPECIFICATION = "http://wiki.open311.org/GeoReport_v2"
PATH = "/open311/v2"


def discovery_of(directory: Directory, base: str, now: datetime, labels: Labels) -> DiscoveryOut:
    """`base` is the address people reach this service under. The changeset is when the rules in force came in."""
    in_force = [line.effective_at for line in directory.rulebooks if line.effective_at <= now]
    changeset = when(max(in_force)) if in_force else ""
    streets = "、".join(street.name for street in directory.streets.values())
    endpoint = EndpointOut(
        specification=SPECIFICATION,
        url=f"{base}{PATH}",
        changeset=changeset,
        type="test" if any(street.sample for street in directory.streets.values()) else "production",
        formats=FORMATS,
    )
    return DiscoveryOut(
        changeset=changeset,
        contact=labels.text("open311.contact", street=streets),
        key_service=labels.text("open311.key_service", street=streets),
        endpoints=(endpoint,),
    )
