"""Faults under load, and a checker that trusts nobody.

`stand` starts the whole system in an empty home; `load` writes reports and keeps an fsynced ledger of what was
acknowledged; `nemesis` kills; `receiver` plays the platform; `checker` compares the ledger with what the databases
hold once everything is quiet. `python -m tests.chaos --minutes 2 --seed 1` runs all of it and prints a report.
"""
