"""How a message leaves by each way, and what the other side's answer means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag

from schemas.labels import LANGUAGES, Labels
from services.chassis.directory import Directory
from services.chassis.secretbox import SecretBox
from services.chassis.telemetry import logger
from services.escalation.notices import robots
from services.escalation.notices.choosing import MAIL, Addresses, addresses
from services.escalation.notices.letters import Letter, letter, short
from services.escalation.notices.mail import Mailer
from services.escalation.notices.notice import Notice
from services.escalation.notices.pushes import Claimed
from services.escalation.notices.texting import Texter
from services.escalation.notices.ways import Choices, Robot
from services.escalation.webhooks.client import Outcome
from services.governance.cycle import Role


class HttpPoster(Protocol):
    """Whatever can post to an address that was checked."""

    async def post(self, url: str, headers: dict[str, str], body: bytes) -> Outcome:
        """One attempt; never raises for what the other side does."""
        ...


@dataclass(frozen=True, slots=True)
class Job:
    """A message to send, with all that sending it needs. `robot` None: it goes to a person."""

    claimed: Claimed
    notices: tuple[Notice, ...]
    now: datetime
    choices: Mapping[str, Choices]
    robot: Robot | None

    @property
    def way(self) -> str:
        """email, sms, or the maker of the robot."""
        return self.robot.kind if self.robot is not None else self.claimed.outlet


@dataclass(frozen=True, slots=True)
class Sent:
    """What an attempt met. `final`: no further one will fare better; `pause_s`: not before so long."""

    ok: bool
    status: int | None = None
    error: str | None = None
    latency_ms: int = 0
    reply: str = ""
    final: bool = False
    pause_s: float = 0.0


_CENTRE: Final = frozenset({Role.INTAKE_CLERK, Role.DISPATCHER, Role.DUTY_CHIEF, Role.ADMINISTRATOR})
_NO_ADDRESS: Final = Sent(ok=False, error="no_address", final=True)


class Posting:
    """The ways there are. `mailer`, `texter` None: by that way nothing goes. `base`: the address people reach the
    pages under, None where nobody said; `language`: that of groups."""

    def __init__(
        self,
        http: HttpPoster,
        mailer: Mailer | None,
        texter: Texter | None,
        box: SecretBox,
        base: str | None,
        language: str = LANGUAGES[0],
    ) -> None:
        self._http = http
        self._mailer = mailer
        self._texter = texter
        self.box = box
        self._base = base
        self._language = language

    @property
    def mails(self) -> bool:
        return self._mailer is not None

    @property
    def texts(self) -> bool:
        return self._texter is not None

    async def post(self, job: Job, directory: Directory) -> Sent:
        """One attempt; never raises for what the other side does."""
        try:
            if job.claimed.account_id is None:
                return _NO_ADDRESS if job.robot is None else await self._to_group(job, job.robot)
            return await self._to_person(job, job.claimed.account_id, directory)
        except InvalidTag:
            return Sent(ok=False, error="secret_unreadable")  # sealed under another key file
        except (LookupError, ValueError) as error:  # an address that no mail goes to, a word of another version
            logger("notices").error("message_not_made", message=str(job.claimed.id), error=type(error).__name__)
            return Sent(ok=False, error="message_not_made")

    async def _to_group(self, job: Job, robot: Robot) -> Sent:
        kind = robots.KINDS[robot.kind]
        page = "console/" if robot.unit is None and not robot.area else "desk/"
        words = letter(_once_each(job.notices), Labels(self._language), self._page(page))
        called = [name for one in _people(job.notices) if (name := kind.id_of(self._reach(one, job)))]
        secret = None if robot.secret is None else self.box.open(robot.secret)
        url = self.box.open(robot.url).decode() + kind.sign(secret, job.now)
        met = await self._http.post(url, dict(robots.HEADERS), robots.encoded(kind, words, called))
        judged = robots.judge(met.status, met.reply)
        pause = kind.pause_s if judged.busy else 0.0
        return Sent(judged.ok, met.status, judged.error or met.error, met.latency_ms, met.reply, pause_s=pause)

    async def _to_person(self, job: Job, account_id: str, directory: Directory) -> Sent:
        account = directory.accounts.get(account_id)
        language = account.lang if account is not None and account.lang in LANGUAGES else self._language
        posts = directory.posts_of(account_id, job.now)
        page = "console/" if any(post.role in _CENTRE for post in posts) else "desk/"
        words = letter(job.notices, Labels(language), self._page(page))
        mine = self._reach(account_id, job)
        met = await self._by_mail(job, mine, words) if job.way == MAIL else await self._by_text(job, mine, words)
        if met is None:
            return _NO_ADDRESS
        ok = met.status is not None and met.error is None
        refused = met.status is not None and 500 <= met.status < 600 and job.way == MAIL
        return Sent(ok, met.status, met.error, met.latency_ms, met.reply, final=refused)

    async def _by_mail(self, job: Job, mine: Addresses, words: Letter) -> Outcome | None:
        to = mine.get("email")
        return None if to is None or self._mailer is None else await self._mailer.send(job.claimed.id, to, words)

    async def _by_text(self, job: Job, mine: Addresses, words: Letter) -> Outcome | None:
        to = mine.get("phone")
        if to is None or self._texter is None:
            return None
        return await self._texter.send(job.claimed.id, to, short(words), job.now)

    def _reach(self, account_id: str, job: Job) -> Addresses:
        return addresses(job.choices.get(account_id), self.box)

    def _page(self, path: str) -> str | None:
        return None if self._base is None else f"{self._base.rstrip('/')}/{path}"


def _once_each(told: Sequence[Notice]) -> list[Notice]:
    """What several of a group are told is one thing to the group; of their merged notices the one with most in it."""
    merged = max((one for one in told if one.merged), key=lambda one: one.detail["count"], default=None)
    return [*([merged] if merged else []), *{one.fact_id: one for one in told if not one.merged}.values()]


def _people(told: Sequence[Notice]) -> list[str]:
    return list(dict.fromkeys(notice.account_id for notice in told))
