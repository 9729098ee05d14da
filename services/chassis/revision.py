"""Begin a new revision: `python -m services.chassis.revision <schema> <pre|post> <what_it_does>`.

It compares the code's tables with the database at DATABASE_URL, which has to be fully migrated, and writes the
difference as a first draft. Read it: renames look like a drop and an add, and no comparison sees checks or functions.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from alembic import command

from services.chassis.db import SCHEMAS
from services.chassis.migrate import MIGRATIONS, Phase, chain_of, config_for


def new_revision(schema: str, phase: Phase, what: str) -> Path:
    """Write the next file of a chain and answer its path."""
    number = f"{len(chain_of(schema)) + 1:04}"
    config = config_for(schema)
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    folder = MIGRATIONS / "versions" / schema
    command.revision(config, f"{phase} {what}", autogenerate=True, rev_id=number, version_path=str(folder))
    return folder / f"{number}_{phase}_{what}.py"


def main(words: list[str]) -> int:
    """Exit code 2 for words that make no sense."""
    if len(words) != 3 or words[0] not in SCHEMAS or words[1] not in tuple(Phase):
        sys.stderr.write(f"{__doc__}\nschemas: {', '.join(SCHEMAS)}\n")
        return 2
    if not re.fullmatch(r"[a-z0-9_]{3,40}", words[2]):
        sys.stderr.write("say what it does in lower case with underscores, at most 40 characters\n")
        return 2
    sys.stdout.write(f"{new_revision(words[0], Phase(words[1]), words[2])}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
