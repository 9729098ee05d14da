"""Open311 GeoReport v2 between the standard's words and the house's own. Pure: no routes, no SQL.

A request of this door is a report as any other: it is checked by `usecases/check.py` and written by
`usecases/submit.py`. The standard leaves open what is decided here; docs/how-to/connect-an-open311-client.md tells it.
"""
