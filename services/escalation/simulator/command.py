"""`grid platform-sim`: a city platform that listens on this machine until Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import signal
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

import aiohttp
import typer

from services.chassis.clock import SystemClock
from services.chassis.ids import SystemIds
from services.chassis.serve import ExitCode
from services.chassis.signing import decode_secret, encode_secret, sign
from services.escalation.simulator.platform import Manner, Mood, Simulator
from services.escalation.simulator.tongues import FormTongue, NativeTongue, Tongue

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
_HAND_OVER = "Address of a partner's door of intake, …/api/v1/push/NAME: hand matters over there at the start."
_BACK = "Where whistles are answered: …/api/v1/platform/events, or …/api/v1/platform/ENDPOINT/events."


class Spoken(StrEnum):
    """The dialects it knows."""

    CLOUDEVENTS = "cloudevents"
    CITY_FORM = "city_form"


@dataclass(frozen=True, slots=True)
class HandOver:
    """Matters that it knows and we do not."""

    url: str
    secret: str
    count: int


@app.command()
def simulate(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where it listens, on loopback; 0: any.")] = 9100,
    dialect: Annotated[Spoken, typer.Option(help="How it is spoken to.")] = Spoken.CLOUDEVENTS,
    secret: Annotated[
        str, typer.Option(envvar="SIM_SECRET", help="Of the endpoint: whsec_…, or the key it hands out; default: made.")
    ] = "",
    app_key: Annotated[str, typer.Option(help="For city_form.")] = "street-1",
    mode: Annotated[Mood, typer.Option(help="How it behaves; PUT /mood changes it.")] = Mood.OK,
    call_back: Annotated[str | None, typer.Option(help=_BACK)] = None,
    back_secret: Annotated[
        str, typer.Option(envvar="SIM_BACK_SECRET", help="What call-backs are signed with; default: --secret.")
    ] = "",
    slow: Annotated[float, typer.Option(min=0, help="Seconds that an answer takes in mode slow.")] = 20.0,
    pace: Annotated[float, typer.Option(min=0, help="Seconds between two call-backs.")] = 2.0,
    hand_over: Annotated[str | None, typer.Option(help=_HAND_OVER)] = None,
    hand_over_secret: Annotated[str, typer.Option(envvar="SIM_PUSH_SECRET", help="The partner's secret.")] = "",
    matters: Annotated[int, typer.Option(min=1, max=200, help="How many.")] = 1,
) -> None:
    """A city platform to try things on: takes what we send, checks every signature, prints it, answers whistles."""
    own = secret or _made(dialect)
    tongue = _tongue(dialect, app_key, own, back_secret or own)
    handed = None if hand_over is None else HandOver(hand_over, hand_over_secret, matters)
    for name, given in (("--back-secret", back_secret), ("--hand-over-secret", hand_over_secret)):
        _check_secret(name, given)
    if dialect is Spoken.CLOUDEVENTS:
        _check_secret("--secret", own)
    if handed is not None and not handed.secret:
        raise typer.BadParameter("--hand-over needs --hand-over-secret, as 'grid partner add' has shown it")
    if not secret:
        _say(f"secret: {own}")
    asyncio.run(_run(Manner(tongue, call_back, slow, pace), mode, port, handed))


def run_simulator(words: list[str]) -> int:
    """The command with its arguments; answers the exit code."""
    try:
        app(words, prog_name="grid platform-sim")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else ExitCode.OK
    return ExitCode.OK


async def _run(manner: Manner, mood: Mood, port: int, handed: HandOver | None) -> None:
    clock, ended = SystemClock(), asyncio.Event()
    simulator = Simulator(manner, SystemIds(), clock.now, _say, mood)
    for one in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(one, ended.set)
    try:
        at = await simulator.start("127.0.0.1", port)
    except OSError as error:
        sys.stderr.write(f"grid platform-sim: cannot listen on port {port}: {error.strerror or error}; try --port\n")
        raise typer.Exit(ExitCode.FAILED) from None
    _say(f"listening at {at}, mode {mood}; Ctrl-C ends it")
    try:
        if handed is not None:
            await _hand_over(handed, clock.now())
        await ended.wait()
    finally:
        with contextlib.suppress(asyncio.CancelledError):
            await simulator.stop()
        _say(simulator.book.told())


def _say(line: str) -> None:
    """At once, also into a pipe: somebody is watching."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def _hand_over(handed: HandOver, now: datetime) -> None:
    """Matters as a hotline tells them."""
    items = [
        {
            "external_id": f"GD{now:%Y%m%d%H%M%S}{n:03}",
            "category": {"code": "0102", "name": "暴露垃圾"},
            "nature": "投诉",
            "text": "门口垃圾堆了三天没有人清运",
            "place_words": "云溪路12号",
            "position": {"lng": 113.0651, "lat": 23.6987, "crs": "gcj02"},
            "due": (now + timedelta(days=3)).isoformat(),
        }
        for n in range(1, handed.count + 1)
    ]
    body = json.dumps({"items": items}, ensure_ascii=False).encode()
    headers = sign([decode_secret(handed.secret)], f"sim_{secrets.token_hex(8)}", now, body)
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session,
            session.post(handed.url, data=body, headers={"content-type": "application/json", **headers}) as answer,
        ):
            _say(f"  ⇒ handed over {len(items)}: {answer.status} {(await answer.text())[:400]}")
    except (aiohttp.ClientError, TimeoutError) as error:
        _say(f"  ⇒ nothing handed over: {type(error).__name__} at {handed.url}")


def _tongue(dialect: Spoken, app_key: str, secret: str, back: str) -> Tongue:
    return NativeTongue(secret, back) if dialect is Spoken.CLOUDEVENTS else FormTongue(app_key, secret)


def _made(dialect: Spoken) -> str:
    return encode_secret(secrets.token_bytes(32)) if dialect is Spoken.CLOUDEVENTS else secrets.token_urlsafe(24)


def _check_secret(name: str, given: str) -> None:
    try:
        decode_secret(given)
    except ValueError:
        raise typer.BadParameter(f"{name} is no whsec_… secret") from None
