"""By which ways a person hears of a notice: his own addresses, and robots of the groups that his posts belong to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypedDict

import orjson
from cryptography.exceptions import InvalidTag

from services.chassis.directory import Directory
from services.chassis.secretbox import SecretBox
from services.escalation.notices.notice import Notice
from services.escalation.notices.ways import Choices, Robot
from services.governance.acts import Post

MAIL: Final = "email"
TEXT: Final = "sms"


class Addresses(TypedDict, total=False):
    """Where a person can be reached; the last two are ids that robots call upon him by."""

    email: str
    phone: str
    wecom: str
    dingtalk: str


@dataclass(frozen=True, slots=True)
class Ways:
    """What there is: robots at work, people's choices, and whether mail and short messages can be sent at all."""

    robots: tuple[Robot, ...]
    choices: Mapping[str, Choices]
    mail: bool
    texts: bool


def addresses(choices: Choices | None, box: SecretBox) -> Addresses:
    """What a person told of himself. Raises cryptography's InvalidTag where the key file is another one."""
    if choices is None:
        return {}
    opened: Addresses = orjson.loads(box.open(choices.addresses))
    return opened


def readable(choices: Choices | None, box: SecretBox) -> Addresses:
    """The same for the person himself: what cannot be opened any more is gone, and he can tell it anew."""
    try:
        return addresses(choices, box)
    except InvalidTag:
        return {}


def sealed(given: Addresses, box: SecretBox) -> bytes:
    """The same, to be kept."""
    return box.seal(orjson.dumps(given))


_SEALED_ELSEWHERE: Final[Addresses] = {"email": "", "phone": ""}
"""Under another key file. The push is tried, so that its failure is seen, and goes once the right key is back."""


def ways_of(notice: Notice, ways: Ways, directory: Directory, now: datetime, box: SecretBox) -> list[str]:
    """The outlets that this notice goes to for its person. Short messages are for danger alone."""
    choices = ways.choices.get(notice.account_id)
    off = choices.off if choices is not None else ()
    try:
        mine = addresses(choices, box)
    except InvalidTag:
        mine = _SEALED_ELSEWHERE
    found = []
    if ways.mail and "email" in mine and MAIL not in off:
        found.append(MAIL)
    if ways.texts and notice.urgent and "phone" in mine and TEXT not in off:
        found.append(TEXT)
    posts = directory.posts_of(notice.account_id, now)
    groups = [one for one in ways.robots if any(looks_at(post, one, directory) for post in posts)]
    return [*found, *(str(one.id) for one in groups if one.kind not in off)]


def looks_at(post: Post, robot: Robot, directory: Directory) -> bool:
    """Whether who holds this post belongs to the robot's group: of its unit, of its area and below, or, for the
    street's own group, of posts that are over the whole street."""
    if robot.unit is not None:
        return post.unit == robot.unit
    if post.unit:
        return False
    if not robot.area or robot.area in directory.streets:
        return not post.area or post.area in directory.streets
    return post.area.startswith(robot.area)
