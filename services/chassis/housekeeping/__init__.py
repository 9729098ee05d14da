"""What keeps the disk bounded: weeks of outbox and inbox made ahead and dropped behind, rows and files past keeping.

`weeks` plans, `partitions` does it, `sweeps` removes rows, `files` removes files, `keeper` is the loop; it runs in the
relay's process, and of several relays of a service one does it.
"""

from services.chassis.housekeeping.chore import Chore, Turn
from services.chassis.housekeeping.keeper import Housekeeper
from services.chassis.housekeeping.settings import RetentionSettings

__all__ = ["Chore", "Housekeeper", "RetentionSettings", "Turn"]
