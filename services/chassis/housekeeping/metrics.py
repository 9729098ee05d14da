"""What housekeeping tells. Only the process that does it shows gauges, so a rule takes the maximum over relays."""

from __future__ import annotations

from collections.abc import Mapping

from services.chassis.telemetry import Metrics


class HouseMetrics:
    """Of one service's housekeeping; `schema` is the service's name in every label."""

    def __init__(self, metrics: Metrics, schema: str) -> None:
        self._schema = schema
        self._owner = metrics.gauge("grid_housekeeping_owner", "1 where this process keeps house", ["schema"])
        self._success = metrics.gauge(
            "grid_housekeeping_last_success_timestamp_seconds", "When a chore last came to its end", ["schema", "chore"]
        )
        self._failures = metrics.counter("grid_housekeeping_failures", "Chores that failed", ["schema", "chore"])
        self._removed = metrics.counter(
            "grid_housekeeping_removed", "Rows, files and weeks removed", ["schema", "what"]
        )
        self._default = metrics.gauge(
            "grid_partition_default_rows", "Rows in a default partition, counted up to 10001", ["schema", "table"]
        )
        self._ahead = metrics.gauge(
            "grid_partition_days_ahead", "Days for which partitions exist from now on", ["schema", "table"]
        )
        self._kept = metrics.gauge(
            "grid_partition_overdue_weeks", "Weeks past keeping that something still needs", ["schema", "table", "why"]
        )
        self._moved = metrics.counter(
            "grid_partition_moved_rows", "Rows moved out of a default partition", ["schema", "table"]
        )
        self._free = metrics.gauge("grid_storage_free_bytes", "Space left where files lie", ["schema"])
        self._size = metrics.gauge("grid_database_bytes", "Size of the database")

    def owns(self) -> None:
        self._owner.labels(self._schema).set(1)

    def lost(self) -> None:
        """Another process has it now, or none: what we knew is no longer ours to tell."""
        for gauge in (self._success, self._default, self._ahead, self._kept):
            gauge.clear()
        self._owner.labels(self._schema).set(0)

    def done(self, chore: str, at: float) -> None:
        self._success.labels(self._schema, chore).set(at)
        self._failures.labels(self._schema, chore)  # told from the start: the first failure counts as an increase

    def failed(self, chore: str) -> None:
        self._failures.labels(self._schema, chore).inc()

    def removed(self, what: str, count: int) -> None:
        self._removed.labels(self._schema, what).inc(count)

    def partitions(self, table: str, default_rows: int, ahead: float) -> None:
        self._default.labels(self._schema, table).set(default_rows)
        self._ahead.labels(self._schema, table).set(ahead)

    def overdue(self, table: str, kept: Mapping[str, int]) -> None:
        for why, weeks in kept.items():
            self._kept.labels(self._schema, table, why).set(weeks)

    def moved(self, table: str, rows: int) -> None:
        self._moved.labels(self._schema, table).inc(rows)

    def space(self, free: int | None, database: int) -> None:
        if free is not None:
            self._free.labels(self._schema).set(free)
        self._size.set(database)
