"""Files of cells and of named places: read, checked as a whole, and brought into the directory.

Every fault of a file is found at once and told with where it is, what is wrong and what to do. Nothing is written while
one is left, but for kinds that a person lets pass by name.
"""

from services.chassis.directory.survey.faults import Fault, FaultKind, FaultyFile

__all__ = ["Fault", "FaultKind", "FaultyFile"]
