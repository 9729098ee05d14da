"""Mail by SMTP: the standard library's client, in a thread of its own so that no slow server holds up anybody."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from collections.abc import Callable
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Final
from uuid import UUID

from services.escalation.notices.letters import Letter
from services.escalation.notices.settings import MailSettings
from services.escalation.webhooks.client import Outcome

ACCEPTED: Final = 250
_KEPT: Final = 500


class Mailer:
    """Sends one letter at a time; never raises for what the server does. `steady` counts seconds."""

    def __init__(self, settings: MailSettings, steady: Callable[[], float]) -> None:
        self._settings = settings
        self._steady = steady

    async def send(self, message_id: UUID, to: str, letter: Letter) -> Outcome:
        """One attempt; a message that is sent twice has the same Message-ID, so that a mailbox can tell."""
        began = self._steady()
        mail = self._mail(message_id, to, letter)
        try:
            await asyncio.to_thread(self._deliver, mail)
        except smtplib.SMTPResponseException as error:
            return self._met(began, error.smtp_code, f"smtp_{error.smtp_code}", _text(error.smtp_error))
        except smtplib.SMTPRecipientsRefused as error:
            code, reply = next(iter(error.recipients.values()))
            return self._met(began, code, f"smtp_{code}", _text(reply))
        except (OSError, smtplib.SMTPException, ssl.SSLError) as error:
            return self._met(began, None, "timeout" if isinstance(error, TimeoutError) else type(error).__name__, "")
        return self._met(began, ACCEPTED, None, "")

    def _mail(self, message_id: UUID, to: str, letter: Letter) -> EmailMessage:
        mail = EmailMessage()
        mail["Subject"] = letter.subject
        mail["From"] = self._settings.sender
        mail["To"] = Address(addr_spec=to)
        mail["Message-ID"] = f"<{message_id}@{Address(addr_spec=self._settings.sender).domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content("\n".join(letter.lines))
        return mail

    def _deliver(self, mail: EmailMessage) -> None:
        settings = self._settings
        assert settings.host is not None, "whoever sends mail has looked whether there is a server"
        context = ssl.create_default_context()
        if settings.tls == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                settings.host, settings.port, timeout=settings.timeout_s, context=context
            )
        else:
            server = smtplib.SMTP(settings.host, settings.port, timeout=settings.timeout_s)
        with server:
            if settings.tls == "starttls":
                server.starttls(context=context)
            if settings.user is not None and settings.password is not None:
                server.login(settings.user, settings.password.get_secret_value())
            server.send_message(mail)

    def _met(self, began: float, status: int | None, error: str | None, reply: str) -> Outcome:
        return Outcome(status, error, int((self._steady() - began) * 1000), reply[:_KEPT])


def _text(reply: bytes | str) -> str:
    """As the table can keep it."""
    told = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    return told.replace("\x00", "")
