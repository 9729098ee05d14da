"""What cannot be put into a message is told of, and ends nobody."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from pydantic import ValidationError

from schemas.api.notices import ChoicesIn
from services.chassis.directory import Directory
from services.chassis.secretbox import SecretBox
from services.escalation.notices.choosing import sealed
from services.escalation.notices.mail import Mailer
from services.escalation.notices.notice import Notice
from services.escalation.notices.posting import Job, Posting
from services.escalation.notices.pushes import Claimed
from services.escalation.notices.settings import MailSettings
from services.escalation.notices.ways import Choices
from services.escalation.webhooks.client import Outcome

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)
BOX = SecretBox(b"k" * 32)


class NoHttp:
    async def post(self, url: str, headers: dict[str, str], body: bytes) -> Outcome:
        raise AssertionError("nothing goes to a robot here")


def by_mail(to: str, *, instead_of: str | None = None) -> Job:
    told = Notice(1, UUID(int=1), "a", "case.filed", "C1", "owner", instead_of, False, None, NOW)
    return Job(
        Claimed(UUID(int=2), "email", "a", 1, 1), (told,), NOW, {"a": Choices(sealed({"email": to}, BOX), ())}, None
    )


def posting(**settings: str) -> Posting:
    mailer = Mailer(MailSettings.model_validate({"GRID_MAIL_HOST": "192.0.2.1", **settings}), lambda: 0.0)
    return Posting(NoHttp(), mailer, None, BOX, None)


async def test_an_address_that_no_mail_goes_to_fails_by_itself() -> None:
    """One that was kept before such were refused."""
    sent = await posting().post(by_mail("a..b@example.cn"), Directory(0))
    assert (sent.ok, sent.error, sent.final) == (False, "message_not_made", False)


async def test_a_post_that_a_newer_version_brought_is_told_by_its_own_word(monkeypatch: pytest.MonkeyPatch) -> None:
    delivered: list[str] = []
    monkeypatch.setattr(Mailer, "_deliver", lambda _, mail: delivered.append(mail.get_content()))
    sent = await posting().post(by_mail("a@example.cn", instead_of="night_watch"), Directory(0))
    assert sent.ok
    assert "night_watch" in delivered[0]


@pytest.mark.parametrize(
    "address", ["a..b@example.cn", ".a@example.cn", "a.@example.cn", "a@example", "a b@example.cn"]
)
def test_such_an_address_is_refused_where_it_is_typed(address: str) -> None:
    with pytest.raises(ValidationError, match="string_pattern_mismatch"):
        ChoicesIn(email=address)


@pytest.mark.parametrize("address", ["", "a@example.cn", "a.b_c+d%e-f@mail.example.gov.cn"])
def test_and_others_are_taken(address: str) -> None:
    assert ChoicesIn(email=address).email == address


@pytest.mark.parametrize("sender", ["grid", "Grid <grid@example.cn>", "a..b@example.cn"])
def test_mail_comes_from_an_address(sender: str) -> None:
    with pytest.raises(ValidationError, match="GRID_MAIL_FROM"):
        MailSettings.model_validate({"GRID_MAIL_FROM": sender})
