"""Settings under which limits count as everywhere and hold nobody back: for load, and for stories told quickly."""

from __future__ import annotations

UNHURRIED = {
    f"GRID_INTAKE_{whose}_{how}": "10000000"
    for whose in ("ACCOUNT", "ACCOUNT_PHOTOS", "ADDRESS", "ADDRESS_PHOTOS", "PAGES")
    for how in ("PER_MINUTE", "BURST")
}
