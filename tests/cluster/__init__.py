"""The whole system on servers it did not start: a PostgreSQL over TCP with passwords, and three Kafka brokers.

`postgres` and `brokers` play the administrator's side with the same binaries and jars; `run` loads the system, kills a
broker, grows the topics and asks the checker. `python -m tests.cluster` prints a report.
"""
