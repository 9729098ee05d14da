"""The words of a problem, in the caller's language, from the one word list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from services.chassis.asgi.problem import FieldProblem, Problem

LANGUAGES = ("zh-CN", "en-US")
_SEPARATOR = {"zh-CN": "、", "en-US": ", "}


class Words(Protocol):
    """The part of the word list that the chassis needs."""

    def text(self, key: str, **values: object) -> str:
        """The word for `key`; raises KeyError when the list has none."""
        ...


def language(accept: str | None) -> str:
    """The best of our languages for an Accept-Language header; zh-CN when nothing fits."""
    ranked: list[tuple[float, int, str]] = []
    for position, part in enumerate((accept or "").split(",")):
        tag, _, rest = part.strip().partition(";")
        ranked.append((-_quality(rest), position, tag.lower()))
    for weight, _, tag in sorted(ranked):
        for ours in LANGUAGES:
            if weight < 0 and tag.split("-")[0] == ours.split("-")[0].lower():
                return ours
    return LANGUAGES[0]


def _quality(rest: str) -> float:
    value = rest.strip().removeprefix("q=")
    try:
        return float(value) if value else 1.0
    except ValueError:
        return 0.0


class Wording:
    """Chooses title and detail of problems. `lists` maps a language to its words."""

    def __init__(self, lists: Mapping[str, Words]) -> None:
        self._lists = lists

    def text(self, lang: str, key: str, **values: object) -> str | None:
        """The word, or None where the list has none."""
        words = self._lists.get(lang) or self._lists[LANGUAGES[0]]
        try:
            return words.text(key, **values)
        except KeyError:
            return None

    def worded(self, problem: Problem, accept: str | None) -> Problem:
        """The same problem with the words it did not bring itself."""
        lang = language(accept)
        values: dict[str, Any] = {key: value for key, value in problem.extra.items() if isinstance(value, str | int)}
        title = problem.title or self.text(lang, f"problem.{problem.code}", **values)
        detail = problem.detail or self._detail(lang, problem, values)
        return Problem(
            problem.status,
            problem.code,
            title,
            detail=detail,
            errors=[self._field(lang, error, detail or title) for error in problem.errors],
            headers={**problem.headers, "content-language": lang},
            extra=problem.extra,
        )

    def listed(self, lang: str, words: Sequence[str]) -> str:
        """Several words in one line."""
        return _SEPARATOR[lang].join(words)

    def field_words(self, lang: str, code: str, **values: object) -> tuple[str | None, str | None]:
        """(what is wrong, what to do) for a code of a wrong field."""
        message = self.text(lang, f"problem.field.{code}", **values)
        remedy = self.text(lang, f"problem.field.{code}.remedy", **values)
        return message, remedy or self.text(lang, "problem.field.remedy")

    def _field(self, lang: str, error: FieldProblem, otherwise: str | None) -> FieldProblem:
        if error.message:
            return error
        message, remedy = self.field_words(lang, error.code)
        return error.model_copy(
            update={"message": message or otherwise or error.code, "remedy": error.remedy or remedy}
        )

    def _detail(self, lang: str, problem: Problem, values: Mapping[str, Any]) -> str | None:
        """An act that is not possible names the state and what is possible instead, in words."""
        members = problem.extra
        if {"state", "action", "allowed"} <= members.keys():
            actions = [self._word(lang, "action", action) for action in members["allowed"]]
            told = self.text(
                lang,
                "illegal",
                state=self._word(lang, "state", members["state"]),
                action=self._word(lang, "action", members["action"]),
                actions=self.listed(lang, actions),
            )
            if told is not None and actions:
                return told
        if isinstance(field := values.get("field"), str):
            values = {**values, "field": self._word(lang, "input", field)}
        return self.text(lang, f"problem.{problem.code}.detail", **values)

    def _word(self, lang: str, group: str, member: str) -> str:
        return self.text(lang, f"{group}.{member}") or member
