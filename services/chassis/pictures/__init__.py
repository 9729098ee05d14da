"""Pictures from outside: made anew by a confined child process before anybody else opens them.

`workshop` starts the children, `sanitise` is what a child runs, `shelf` gives finished files their names.
"""

from services.chassis.pictures.shelf import mime_of, publish
from services.chassis.pictures.workshop import BrokenImage, Workshop

__all__ = ["BrokenImage", "Workshop", "mime_of", "publish"]
