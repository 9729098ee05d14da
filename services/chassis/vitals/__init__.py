"""What a service's database tells about its health, read by its HTTP process: it is there when others are not.

A relay that has ended cannot report that its outbox grows. So ages and depths are read here, by somebody else.
"""

from services.chassis.vitals.loop import Probe, Vitals
from services.chassis.vitals.record import RecordWatch
from services.chassis.vitals.standard import standard_probes

__all__ = ["Probe", "RecordWatch", "Vitals", "standard_probes"]
