"""Messages enter: a Faust worker that hands batches to a handler inside one transaction each.

`batch` holds the whole error policy, `worker` the Faust application around it, `held` what waits and what is dead.
"""

from services.chassis.streams.handler import BatchHandler, Poison, Received

__all__ = ["BatchHandler", "Poison", "Received"]
