"""Administer the robots of groups, and send a message again or as a test."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from schemas.api.notices import RobotIn, RobotPatchIn
from services.chassis.db import Tx
from services.chassis.ids import IdSource
from services.chassis.secretbox import SecretBox
from services.escalation.notices.pushes import Message
from services.escalation.notices.ways import Robot
from services.escalation.store import allowed, outlets, pushes
from services.escalation.webhooks.addresses import check_target

HINT = 4


class RobotDesk:
    """Robot use cases. Raises RefusedAddressError for an address that may never be called. `fixed`: places of the
    settings that may be called though they are not public."""

    def __init__(self, ids: IdSource, box: SecretBox, fixed: frozenset[str]) -> None:
        self._ids = ids
        self.box = box
        self._fixed = fixed

    async def add(self, tx: Tx, wanted: RobotIn, by: str) -> Robot:
        """A new robot, at work at once."""
        await self._check(tx, wanted.url)
        values = {
            "id": self._ids.uuid7(),
            "kind": wanted.kind,
            "name": wanted.name,
            "area": "" if wanted.unit else wanted.area,
            "unit": wanted.unit,
            "per_minute": wanted.per_minute,
            "created_by": by,
            "secret": self.box.seal(wanted.secret.encode()) if wanted.secret else None,
            **self._sealed_url(wanted.url),
        }
        return await outlets.add(tx, values)

    async def change(self, tx: Tx, robot_id: UUID, wanted: RobotPatchIn) -> Robot | None:
        """Change what is named; None when unknown. A secret of '' takes it away."""
        if await outlets.robot(tx, robot_id) is None:
            return None
        values: dict[str, Any] = wanted.model_dump(exclude_none=True, exclude={"url", "secret"})
        if wanted.url is not None:
            await self._check(tx, wanted.url)
            values |= self._sealed_url(wanted.url)
        if wanted.secret is not None:
            values["secret"] = self.box.seal(wanted.secret.encode()) if wanted.secret else None
        if values:
            await outlets.change(tx, robot_id, values)
        return await outlets.robot(tx, robot_id)

    async def test(self, tx: Tx, outlet: str, account_id: str | None) -> UUID:
        """Queue a test message, to a robot's group or to a person; its id."""
        message = Message(self._ids.uuid7(), outlet, account_id)
        await pushes.put_together(tx, [message])
        return message.id

    async def _check(self, tx: Tx, url: str) -> None:
        check_target(url, self._fixed | await allowed.in_force(tx))

    def _sealed_url(self, url: str) -> dict[str, Any]:
        """The key stands in the address, so of it only where it leads and its end are shown."""
        place = url.split("//", 1)[-1].split("/", 1)[0].split("?", 1)[0].rsplit("@", 1)[-1]
        return {"url": self.box.seal(url.encode()), "url_hint": f"{place} …{url[-HINT:]}"}
