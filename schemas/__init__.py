"""The published language: what crosses a boundary, versioned.

Read `envelope`, `topics` and `events/` for what travels on Kafka, `api/` for HTTP bodies, `webhooks` for what the
city platform receives, `rulebook` for a street's rulebook file and `labels` for the words people read.
Classes here stand on the rules (`services.governance`) and know nothing of services. A shipped version only grows;
`schemas.compat` refuses anything else and prints the rollout order.
"""
