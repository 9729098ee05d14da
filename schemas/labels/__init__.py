"""Every word a person reads, in zh-CN and en-US, under flat keys such as `state.filed` or `action.answer@street`.

The two files here are the only place words come from: services read them through `Labels`, the pages import them.
`{name}` is a value put in at run time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files

LANGUAGES = ("zh-CN", "en-US")
PLACEHOLDER = re.compile(r"\{(\w+)\}")


class UnknownLabel(KeyError):
    """The list has no such key, or the words need a value that was not given."""


class Labels:
    """The words of one language. `lang` is one of LANGUAGES; another raises UnknownLabel."""

    def __init__(self, lang: str) -> None:
        if lang not in LANGUAGES:
            raise UnknownLabel(f"language {lang!r}; there are {', '.join(LANGUAGES)}")
        self.lang = lang
        self._words = _read(lang)

    def text(self, key: str, **values: object) -> str:
        """The words of `key` with values put in. Raises UnknownLabel, naming the key or the missing value."""
        words = self._words.get(key)
        if words is None:
            raise UnknownLabel(key)
        if "{" not in words:
            return words
        try:
            return PLACEHOLDER.sub(lambda match: str(values[match[1]]), words)
        except KeyError as exc:
            raise UnknownLabel(f"{key}: value {exc.args[0]!r} is missing") from exc

    def word(self, group: str, member: str, at: str | None = None) -> str:
        """The word of an enum member: `group.member@at` where there is one, else `group.member`."""
        if at is not None and (special := self._words.get(f"{group}.{member}@{at}")) is not None:
            return special
        return self.text(f"{group}.{member}")

    def __contains__(self, key: object) -> bool:
        return key in self._words

    def __iter__(self) -> Iterator[str]:
        return iter(self._words)

    def under(self, prefix: str) -> Mapping[str, str]:
        """All words whose key begins with `prefix`."""
        return {key: words for key, words in self._words.items() if key.startswith(prefix)}


@cache
def _read(lang: str) -> Mapping[str, str]:
    raw = files("schemas").joinpath("labels", f"{lang}.json").read_bytes()
    words: dict[str, str] = json.loads(raw)
    return words
