"""`grid audit verify`: whether the record of who did what is still as it was written."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from services.chassis.audit.chain import Head, Proof, verify
from services.chassis.db import Database
from services.chassis.grid.asking import failed
from services.chassis.grid.target import database_url
from services.chassis.settings import DatabaseSettings

SAID = {
    "gap": "rows are missing before it",
    "unlinked": "it does not follow from the row before it",
    "changed": "it is not what was written",
    "cut": "rows that were there at an earlier proof are gone",
}


class NoHeads(Exception):
    """The file of an earlier proof holds something else."""


def verify_record(heads: Path | None) -> int:
    """Compute every chain again and say what was found; 1 where it does not hold.

    `heads` keeps the last row of each chain between proofs: a chain that no longer contains it was cut or written
    anew. The file is only brought up to date by a proof without findings.
    """
    try:
        proof = asyncio.run(_proof(_noted(heads)))
    except NoHeads as error:
        sys.stderr.write(f"grid: {error}\n")
        return 1
    except (SQLAlchemyError, OSError) as error:
        return failed(error)
    for finding in proof.findings:
        sys.stderr.write(f"grid: chain {finding.shard}, row {finding.n}: {SAID[finding.why]}\n")
    if proof.findings:
        return 1
    sys.stdout.write(f"{proof.rows} rows in {len(proof.heads)} chains, all as they were written\n")
    if heads is not None:
        _note(heads, proof)
    return 0


async def _proof(noted: dict[int, Head]) -> Proof:
    db = Database(DatabaseSettings(url=database_url("dispatch"), pool_size=1), "grid-audit")
    try:
        async with db.reading() as tx:
            return await verify(tx, noted)
    finally:
        await db.close()


def _noted(path: Path | None) -> dict[int, Head]:
    if path is None or not path.exists():
        return {}
    try:
        kept: dict[str, dict[str, str]] = json.loads(path.read_text("utf-8"))
        return {int(shard): Head(int(head["n"]), bytes.fromhex(head["hash"])) for shard, head in kept.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NoHeads(f"{path} does not hold the ends of chains as this command writes them") from error


def _note(path: Path, proof: Proof) -> None:
    heads = {str(shard): {"n": head.n, "hash": head.hash.hex()} for shard, head in proof.heads.items()}
    path.write_text(json.dumps(heads, indent=1) + "\n", "utf-8")
