"""A bench for Faust's acknowledgements: the real library and its real bookkeeping, but no broker.

Messages are put straight into the agent's channel; `FakeConsumer` keeps Faust's own record of what is acknowledged and
would be committed. `agent.test_context()` cannot do this: it has no consumer at all.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import faust
from faust.transport.consumer import Consumer
from faust.types.tuples import TP, ConsumerMessage

from services.chassis.kafka import KafkaAddress
from services.chassis.streams.worker import make_app

TOPIC = "contract"
PARTITION = TP(TOPIC, 0)


class FakeConsumer(Consumer):
    """Faust's consumer without a connection."""

    def __init__(self, app: Any) -> None:
        super().__init__(app.transport, _ignore, _ignore, _ignore)
        self.commits: list[dict[TP, int]] = []

    def assignment(self) -> set[TP]:
        return {PARTITION}

    async def _commit(self, offsets: Any) -> bool:
        self.commits.append(dict(offsets))
        return True

    def acked(self) -> list[int]:
        return sorted(self._acked[PARTITION])

    def committable(self) -> int | None:
        """What the next commit would write; consumes the bookkeeping like a commit does."""
        return self._new_offset(PARTITION)


for _name in Consumer.__abstractmethods__ - {"assignment", "_commit"}:
    setattr(FakeConsumer, _name, None)
FakeConsumer.__abstractmethods__ = frozenset()


class Bench:
    """One running agent and its feed."""

    def __init__(self, app: faust.App, agent: Any) -> None:
        self.app = app
        self.agent = agent
        self.consumer: FakeConsumer = app.consumer  # type: ignore[assignment]

    @property
    def stream(self) -> Any:
        return next(iter(self.agent._actors)).stream

    @property
    def queued(self) -> int:
        return int(self.stream.channel.queue.qsize())

    async def feed(self, *offsets: int, generation: dict[int, int] | None = None) -> None:
        """Deliver messages with these offsets as the conductor would."""
        channel = self.stream.channel
        for offset in offsets:
            message = ConsumerMessage(
                TOPIC, 0, offset, 0.0, 0, {}, b"k", str(offset).encode(), None, tp=PARTITION,
                generation_id=(generation or {}).get(offset, self.app.consumer_generation_id),
            )  # fmt: skip
            message.incref()
            self.app._contract_messages.append(message)  # type: ignore[attr-defined] # unacked ones are held weakly
            await channel.put(await channel.decode(message))

    async def until(self, condition: Callable[[], bool], within: float = 30.0) -> bool:
        """Whether `condition` came true in time."""
        deadline = asyncio.get_running_loop().time() + within
        while not condition():
            if asyncio.get_running_loop().time() > deadline:
                return False
            await asyncio.sleep(0.01)
        return True

    async def stop(self) -> None:
        """Stop the agent; after an exception in its body it may never answer, so it gets a second only."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await self.agent.stop()


@contextlib.asynccontextmanager
async def running(body: Callable[[Any], Awaitable[None]]) -> AsyncIterator[Bench]:
    """An agent with this body, started on the running loop with the settings of our workers."""
    app = make_app("contract", KafkaAddress(("127.0.0.1:1",)))
    app.loop = asyncio.get_running_loop()
    app._contract_messages = []  # type: ignore[attr-defined]
    app.finalize()
    app.consumer = FakeConsumer(app)
    app.topics._acking_topics.add(TOPIC)
    app.flow_control.resume()
    topic = app.topic(TOPIC, key_serializer="raw", value_serializer="raw", internal=False)
    agent = app.agent(topic, name="contract", concurrency=1)(body)
    await agent.start()
    bench = Bench(app, agent)
    try:
        yield bench
    finally:
        await bench.stop()


async def _ignore(*_args: Any) -> None:
    """A callback nobody needs here."""
