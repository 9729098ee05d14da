"""Facts leave exactly as committed: rows written in the business transaction, carried to Kafka by a relay.

`tables` declares them, `publish` writes them, `relay` carries them, `antientropy` sends again what Kafka lost.
"""

from services.chassis.outbox.publish import Outgoing, next_sequences, publish, publishing
from services.chassis.outbox.tables import OutboxTables, outbox_tables

__all__ = ["OutboxTables", "Outgoing", "next_sequences", "outbox_tables", "publish", "publishing"]
