"""Areas, places, units, posts, people and rulebooks of a street, as every service reads them."""

from services.chassis.directory.areas import Cell, CellHistory, CellMap, CellVersion, day_of
from services.chassis.directory.cache import DirectoryCache, DirectoryNotLoaded, UnknownRulebook, directory_check
from services.chassis.directory.model import (
    Account,
    Appointment,
    Community,
    Directory,
    Grid,
    Place,
    RosterLine,
    RulebookVersion,
    Street,
    Unit,
)

__all__ = [
    "Account",
    "Appointment",
    "Cell",
    "CellHistory",
    "CellMap",
    "CellVersion",
    "Community",
    "Directory",
    "DirectoryCache",
    "DirectoryNotLoaded",
    "Grid",
    "Place",
    "RosterLine",
    "RulebookVersion",
    "Street",
    "Unit",
    "UnknownRulebook",
    "day_of",
    "directory_check",
]
