"""The two formats of the standard. XML is the model: a list is an element that holds elements of one name, a missing
value an empty one; JSON says the same with arrays and null.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree

import orjson
from pydantic import BaseModel

MEDIA: Final[Mapping[str, str]] = {"json": "application/json; charset=utf-8", "xml": "text/xml; charset=utf-8"}
FORMATS: Final = ("text/xml", "application/json")
_ITEM: Final[Mapping[str, str]] = {
    "services": "service",
    "service_requests": "request",
    "attributes": "attribute",
    "values": "value",
    "errors": "error",
    "endpoints": "endpoint",
    "formats": "format",
    "notes": "note",
}
_OPTIONAL: Final = frozenset({"extended_attributes", "notes", "values"})
"""Left out where they are not there; everything else of the standard stands there, empty."""
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'
_NO_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Document:
    """What is sent: the name of the outermost element, and what it holds."""

    root: str
    body: BaseModel | Sequence[BaseModel]

    def plain(self) -> object:
        """As JSON has it."""
        if isinstance(self.body, BaseModel):
            return _plain(self.body)
        return [_plain(each) for each in self.body]

    def written(self, form: str) -> bytes:
        """The bytes of an answer in one of the formats."""
        if form == "json":
            return orjson.dumps(self.plain())
        return (_HEAD + ElementTree.tostring(_element(self.root, self.plain()), encoding="unicode")).encode()


def _plain(model: BaseModel) -> object:
    return _trimmed(model.model_dump(mode="json"))


def _trimmed(value: object) -> object:
    if isinstance(value, dict):
        kept = ((name, each) for name, each in value.items() if each is not None or name not in _OPTIONAL)
        return {name: _trimmed(each) for name, each in kept}
    return [_trimmed(each) for each in value] if isinstance(value, list) else value


def _element(name: str, value: object) -> ElementTree.Element:
    element = ElementTree.Element(name)
    if isinstance(value, dict):
        element.extend(_element(inner, each) for inner, each in value.items())
    elif isinstance(value, list):
        element.extend(_element(_ITEM[name], each) for each in value)
    elif isinstance(value, bool):
        element.text = "true" if value else "false"
    elif value is not None:
        element.text = _NO_XML.sub("\ufffd", str(value))
    return element
