"""What the relay and the anti-entropy job tell about themselves."""

from __future__ import annotations

from services.chassis.telemetry import Metrics


class RelayMetrics:
    """Counters and gauges of one relay process."""

    def __init__(self, metrics: Metrics) -> None:
        self._published = metrics.counter("grid_outbox_published", "Rows Kafka has acknowledged")
        self._age = metrics.gauge("grid_outbox_oldest_seconds", "Age of the oldest row not yet in Kafka")
        self._depth = metrics.gauge("grid_outbox_waiting", "Rows not yet in Kafka, counted up to 10001")
        self._owned = metrics.gauge("grid_outbox_shards_owned", "Shards this relay holds the lock of")
        self._lost = metrics.counter("grid_outbox_interruptions", "Lost connections and rebuilt producers", ["of"])
        self._refused = metrics.counter("grid_outbox_refused", "Messages Kafka will never take as they are")
        self._candidates = metrics.gauge("grid_outbox_lost_candidates", "Rows Kafka has lost, at the last look", ["to"])
        self._looks = metrics.counter("grid_outbox_looks", "Comparisons of the outbox with the inboxes", ["how"])
        self._repairs = metrics.counter("grid_outbox_repairs", "Rows sent again because a consumer lacks them", ["to"])

        for how in ("done", "skipped"):  # there from the start: the first one counts as an increase
            self._looks.labels(how)
        for of in ("database", "producer"):
            self._lost.labels(of)

    def published(self, rows: int) -> None:
        self._published.inc(rows)

    def backlog(self, oldest_seconds: float, waiting: int) -> None:
        self._age.set(oldest_seconds)
        self._depth.set(waiting)

    def owned(self, shards: int) -> None:
        self._owned.set(shards)

    def database_lost(self) -> None:
        self._lost.labels("database").inc()

    def producer_lost(self) -> None:
        self._lost.labels("producer").inc()

    def key_refused(self) -> None:
        self._refused.inc()

    def looked(self) -> None:
        self._looks.labels("done").inc()

    def look_skipped(self) -> None:
        self._looks.labels("skipped").inc()

    def lost_candidates(self, consumer: str, rows: int) -> None:
        self._candidates.labels(consumer).set(rows)
        self._repairs.labels(consumer).inc(rows)
