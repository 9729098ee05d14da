"""Plays a believable street into a running system: reports come in, and, if asked, people act on them.

It is a client like any other: it signs in, posts and clicks over HTTP, and knows nothing that a person at a phone or
a desk would not. Everything drawn comes from one seed.
"""

from services.dispatch.feed.history import write_history
from services.dispatch.feed.play import FeedPlan, Played, play

__all__ = ["FeedPlan", "Played", "play", "write_history"]
