"""A file that cannot be read at all."""

from __future__ import annotations


class FileRefused(Exception):
    """The file as a whole cannot be read; the message says why and what to do."""
