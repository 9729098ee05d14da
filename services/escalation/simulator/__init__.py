"""A city platform to try things on, `grid platform-sim`: speaks real HTTP, checks every signature, prints what it got.

- `tongues`: both sides of each dialect as such a platform sees them, written apart from our own side
- `book`: what has arrived, and what is odd about it
- `platform`: the server, its moods, and its call-backs
- `command`: the command line
"""
