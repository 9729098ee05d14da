"""Pictures from outside: made anew by a confined child process before anybody else opens them.

`workshop` starts the children, `sanitise` is what a child runs, `shelf` gives finished files their names.
"""

from services.chassis.pictures.shelf import claim, mime_of, publish, remove_old
from services.chassis.pictures.workshop import BrokenImage, Workshop

__all__ = ["BrokenImage", "Workshop", "claim", "mime_of", "publish", "remove_old"]
