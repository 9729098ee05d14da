"""Faults under load, and a checker that trusts nobody.

`plan` draws from a seed what will be done, `faults` does it, `nemesis` keeps the book; `world` is what they lay hands
on: the system in an empty home, `guests` with a wrong clock and a bad line, a `disk` that can be filled, a `receiver`
that plays the platform. `load` and `crowd` are the people, each with an fsynced `ledger`. `checker` compares the
ledgers with what the databases hold once all is quiet, `proof` shows that it can fail. `python -m tests.chaos
--minutes 2 --seed 1` runs all of it and prints a report.
"""
