"""What an intake costs that promises nothing: what ours is compared with. `python -m bench.bare PORT`.

The server, its loop, its protocol parser, the number of connections and the collector's settings are those of intake.
"""
