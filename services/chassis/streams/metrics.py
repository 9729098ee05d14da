"""What one stream worker tells about itself."""

from __future__ import annotations

from collections.abc import Mapping

from services.chassis.streams.arrange import Plan
from services.chassis.streams.lags import Lag, Place
from services.chassis.streams.message import Why
from services.chassis.streams.store import Counts
from services.chassis.telemetry import Metrics


class StreamMetrics:
    """Counters and gauges of one consumer process."""

    def __init__(self, metrics: Metrics) -> None:
        self._applied = metrics.counter("grid_stream_applied", "Events applied")
        self._duplicates = metrics.counter("grid_stream_duplicates", "Events that had come before and were dropped")
        self._parked = metrics.counter("grid_stream_parked", "Events held when they came", ["reason"])
        for why in Why:  # there from the start: the first event counts as an increase
            self._parked.labels(why.value)
        self._buried = metrics.counter("grid_stream_dead", "Events that became dead letters")
        self._retries = metrics.counter("grid_stream_retries", "Batches tried again after a passing fault")
        self._seconds = metrics.histogram("grid_stream_batch_seconds", "Time to apply a batch")
        self._held = metrics.gauge("grid_stream_held_events", "Events waiting in held_events")
        self._lanes = metrics.gauge("grid_stream_blocked_keys", "Keys with held events")
        self._dead = metrics.gauge("grid_stream_dead_letters_open", "Dead letters nobody has resolved")
        place = ["topic", "partition"]
        self._lag = metrics.gauge("grid_stream_lag", "Messages in Kafka not yet applied by this process", place)
        self._still = metrics.gauge(
            "grid_stream_still_seconds", "Time since a message was applied; 0 while none waits", place
        )

    def committed(self, plan: Plan, seconds: float) -> None:
        self._applied.inc(len(plan.ready))
        self._duplicates.inc(plan.duplicates)
        self._buried.inc(len(plan.dead))
        for _, why in plan.held:
            self._parked.labels(why.value).inc()
        self._seconds.observe(seconds)

    def retried(self) -> None:
        self._retries.inc()

    def waiting(self, counts: Counts) -> None:
        self._held.set(counts.held)
        self._lanes.set(counts.lanes)
        self._dead.set(counts.dead)

    def lag(self, lags: Mapping[Place, Lag]) -> None:
        """Of the partitions this process has now; others' are not shown any more."""
        self._lag.clear()
        self._still.clear()
        for (topic, partition), (messages, still) in lags.items():
            self._lag.labels(topic, str(partition)).set(messages)
            self._still.labels(topic, str(partition)).set(still)
