"""Where things stand in a TOML file: path → line. The standard reader tells no lines, and a message without one sends
its reader searching through two thousand.

Reads only what `tomllib` has accepted, so it looks for places and never judges.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping

Path = tuple[str | int, ...]
_KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*'""")
_BARE = re.compile(r"[^\s,\]}#=]+(?: \d\d:[^\s,\]}#]+)?")
_QUOTES = ('"""', "'''", '"', "'")


def places(text: str) -> Mapping[Path, int]:
    """The line (from 1) of every table, key and element, by its path as `tomllib` nests it."""
    return _Scan(text).run()


def line_of(found: Mapping[Path, int], path: Path) -> int:
    """The line of a path, or of the nearest thing around it that is there."""
    while path and path not in found:
        path = path[:-1]
    return found.get(path, 1)


class _Scan:
    """Walks the text once, a character at a time."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.found: dict[Path, int] = {(): 1}
        self.rows: dict[Path, int] = {}

    def run(self) -> Mapping[Path, int]:
        table: Path = ()
        while self._skip():
            if self.text.startswith("[[", self.at):
                table = self._header(2)
                self.rows[table] = self.rows.get(table, -1) + 1
                table = (*table, self.rows[table])
                self.found.setdefault(table[:-1], self._line())
                self.found[table] = self._line()
            elif self.text[self.at] == "[":
                table = self._header(1)
                for depth in range(1, len(table) + 1):
                    self.found.setdefault(table[:depth], self._line())
            else:
                self._pair(table)
        return self.found

    def _line(self) -> int:
        return self.text.count("\n", 0, self.at) + 1

    def _skip(self) -> bool:
        """Over space and comments; False at the end."""
        while self.at < len(self.text):
            char = self.text[self.at]
            if char == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            elif char.isspace():
                self.at += 1
            else:
                return True
        return False

    def _header(self, brackets: int) -> Path:
        self.at += brackets
        path = self._keys()
        self._skip()
        self.at += brackets
        return self._in_rows(path)

    def _in_rows(self, path: Path) -> Path:
        """`[[a.b]]` means the last row of `a`."""
        full: Path = ()
        for number, key in enumerate(path):
            full = (*full, key)
            if full in self.rows and number + 1 < len(path):
                full = (*full, self.rows[full])
        return full

    def _keys(self) -> Path:
        keys: list[str] = []
        while True:
            self._skip()
            match = _KEY.match(self.text, self.at)
            assert match is not None, "tomllib has accepted the text"
            word = match[0]
            keys.append(_unquoted(word) if word[0] in "\"'" else word)
            self.at = match.end()
            self._skip()
            if self.text[self.at] != ".":
                return tuple(keys)
            self.at += 1

    def _pair(self, table: Path) -> None:
        self._skip()
        line = self._line()
        path = (*table, *self._keys())
        self.found[path] = line
        self._skip()
        self.at += 1  # =
        self._value(path)

    def _value(self, path: Path) -> None:
        self._skip()
        opened = self.text[self.at]
        if opened == "[":
            self._list(path)
        elif opened == "{":
            self._inline(path)
        elif opened in "\"'":
            self._string()
        else:
            match = _BARE.match(self.text, self.at)
            assert match is not None, "tomllib has accepted the text"
            self.at = match.end()

    def _list(self, path: Path) -> None:
        self.at += 1
        number = 0
        while self._skip() and self.text[self.at] != "]":
            self.found[*path, number] = self._line()
            self._value((*path, number))
            self._skip()
            self.at += self.text[self.at] == ","
            number += 1
        self.at += 1

    def _inline(self, path: Path) -> None:
        self.at += 1
        while self._skip() and self.text[self.at] != "}":
            self._pair(path)
            self._skip()
            self.at += self.text[self.at] == ","
        self.at += 1

    def _string(self) -> None:
        quote = next(q for q in _QUOTES if self.text.startswith(q, self.at))
        self.at += len(quote)
        while not self.text.startswith(quote, self.at):
            self.at += 2 if self.text[self.at] == "\\" and quote[0] == '"' else 1
        self.at += len(quote)
        while len(quote) == 3 and self.text.startswith(quote[0], self.at):  # """" ends with a quote of its own
            self.at += 1


def _unquoted(word: str) -> str:
    return str(next(iter(tomllib.loads(f"{word} = 1"))))
