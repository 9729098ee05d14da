"""Just enough of Prometheus to try alarm rules: the grammar is Prometheus' own (promql-parser), the evaluation is ours.

It knows the operators and functions that our rules use and refuses every other (`Unsupported`). Rates extrapolate as
Prometheus 2 does; deploy/prometheus/tests give the same answers under `promtool test rules`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

import promql_parser as parser

LOOKBACK_S: Final = 300.0
Labels = frozenset[tuple[str, str]]
Vector = dict[Labels, float]
Sample = tuple[float, float]
"""(seconds, value)"""

_COMPARE: Final[Mapping[str, Callable[[float, float], bool]]] = {
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}
_RECKON: Final[Mapping[str, Callable[[float, float], float]]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b if b else math.nan if not a else math.copysign(math.inf, a),
}
_GATHER: Final[Mapping[str, Callable[[Sequence[float]], float]]] = {
    "sum": math.fsum,
    "max": max,
    "min": min,
    "count": lambda values: float(len(values)),
}


class Unsupported(NotImplementedError):
    """An expression that our rules have not used so far."""


@dataclass
class Store:
    """Series of samples, by their labels; the metric's name is the label `__name__`."""

    series: dict[Labels, list[Sample]] = field(default_factory=dict)

    def add(self, name: str, labels: Mapping[str, str], at: float, value: float) -> None:
        self.series.setdefault(frozenset({**labels, "__name__": name}.items()), []).append((at, value))

    def of(self, selector: Any) -> Iterable[tuple[Labels, list[Sample]]]:
        """The series that a selector names."""
        for labels, samples in self.series.items():
            known = dict(labels)
            if selector.name in (None, known["__name__"]) and all(_fits(known, m) for m in selector.matchers.matchers):
                yield labels, samples


def evaluate(expression: str, store: Store, at: float) -> Vector:
    """The instant vector of an expression; a scalar is a vector without labels."""
    found = _value(parser.parse(expression), store, at)
    return {frozenset(): found} if isinstance(found, float) else found


def selectors(expression: str) -> list[Any]:
    """Every vector selector in an expression."""
    return [node for node in _nodes(expression) if isinstance(node, parser.VectorSelector)]


def grouped_by(expression: str) -> set[str]:
    """The labels by which an expression gathers."""
    found = [node for node in _nodes(expression) if isinstance(node, parser.AggregateExpr) and node.modifier]
    return {label for node in found for label in node.modifier.labels}


def _nodes(expression: str) -> Iterable[Any]:
    pending: list[Any] = [parser.parse(expression)]
    while pending:
        node = pending.pop()
        yield node
        match node:
            case parser.MatrixSelector():
                pending.append(node.vector_selector)
            case parser.Call():
                pending += node.args
            case parser.AggregateExpr() | parser.ParenExpr():
                pending.append(node.expr)
            case parser.BinaryExpr():
                pending += [node.lhs, node.rhs]


def _value(node: Any, store: Store, at: float) -> float | Vector:
    match node:
        case parser.NumberLiteral():
            return float(node.val)
        case parser.ParenExpr():
            return _value(node.expr, store, at)
        case parser.VectorSelector():
            _plain(node)
            return {labels: last for labels, samples in store.of(node) if (last := _last(samples, at)) is not None}
        case parser.Call():
            return _call(node, store, at)
        case parser.AggregateExpr():
            return _aggregate(node, store, at)
        case parser.BinaryExpr():
            return _binary(node, _value(node.lhs, store, at), _value(node.rhs, store, at))
    raise Unsupported(repr(node))


def _plain(selector: Any) -> None:
    if selector.offset is not None or selector.at is not None:
        raise Unsupported("offset and @")


def _fits(labels: Mapping[str, str], matcher: Any) -> bool:
    value = labels.get(matcher.name, "")
    match str(matcher.op):
        case "MatchOp.Equal":
            return value == matcher.value
        case "MatchOp.NotEqual":
            return value != matcher.value
        case "MatchOp.Re":
            return re.fullmatch(matcher.value, value) is not None
        case "MatchOp.NotRe":
            return re.fullmatch(matcher.value, value) is None
    raise Unsupported(str(matcher.op))


def _last(samples: Sequence[Sample], at: float) -> float | None:
    near = [value for when, value in samples if at - LOOKBACK_S < when <= at]
    return near[-1] if near else None


def _call(node: Any, store: Store, at: float) -> float | Vector:
    name = node.func.name
    if name == "time":
        return at
    if name in ("rate", "increase"):
        selector, seconds = node.args[0].vector_selector, node.args[0].range.total_seconds()
        _plain(selector)
        grown = {labels: _increase(samples, at, seconds) for labels, samples in store.of(selector)}
        per = seconds if name == "rate" else 1.0
        return {_without(labels, "__name__"): value / per for labels, value in grown.items() if value is not None}
    if name == "histogram_quantile":
        quantile, buckets = _value(node.args[0], store, at), _value(node.args[1], store, at)
        assert isinstance(quantile, float)
        assert isinstance(buckets, dict)
        return _quantiles(quantile, buckets)
    raise Unsupported(name)


def _increase(samples: Sequence[Sample], at: float, seconds: float) -> float | None:
    """As Prometheus 2 extrapolates a counter over a range."""
    inside = [(when, value) for when, value in samples if at - seconds <= when <= at]
    if len(inside) < 2:
        return None
    (first_at, first), (last_at, last) = inside[0], inside[-1]
    grown = last - first + math.fsum(a for (_, a), (_, b) in pairwise(inside) if b < a)
    sampled = last_at - first_at
    usual = sampled / (len(inside) - 1)
    before, after = first_at - (at - seconds), at - last_at
    if grown > 0 and first >= 0:
        before = min(before, sampled * first / grown)
    reach = sampled
    for gap in (before, after):
        reach += gap if gap < usual * 1.1 else usual / 2
    return grown * reach / sampled


def _quantiles(quantile: float, buckets: Vector) -> Vector:
    grouped: dict[Labels, list[tuple[float, float]]] = {}
    for labels, count in buckets.items():
        edge = float(dict(labels)["le"].replace("+Inf", "inf"))
        grouped.setdefault(_without(labels, "le", "__name__"), []).append((edge, count))
    return {labels: _quantile(quantile, sorted(edges)) for labels, edges in grouped.items()}


def _quantile(quantile: float, edges: Sequence[tuple[float, float]]) -> float:
    total = edges[-1][1]
    if len(edges) < 2 or not math.isinf(edges[-1][0]) or not total:
        return math.nan
    rank = quantile * total
    at = next(n for n, (_, count) in enumerate(edges) if count >= rank)
    if at == len(edges) - 1:
        return edges[-2][0]
    low, below = edges[at - 1] if at else (0.0, 0.0)
    high, upto = edges[at]
    return low + (high - low) * (rank - below) / (upto - below)


def _aggregate(node: Any, store: Store, at: float) -> Vector:
    vector = _value(node.expr, store, at)
    gather = _GATHER.get(str(node.op))
    by = [] if node.modifier is None else node.modifier.labels
    if not isinstance(vector, dict) or gather is None or (node.modifier and "By" not in str(node.modifier.type)):
        raise Unsupported(f"{node.op} of {node.expr!r}")
    groups: dict[Labels, list[float]] = {}
    for labels, value in vector.items():
        groups.setdefault(frozenset((k, v) for k, v in labels if k in by), []).append(value)
    return {labels: gather(values) for labels, values in groups.items()}


def _binary(node: Any, left: float | Vector, right: float | Vector) -> float | Vector:
    if node.modifier is not None:
        raise Unsupported("on, ignoring, group_left, bool")
    sign = str(node.op)
    if sign in _RECKON:
        reckon = _RECKON[sign]
        if isinstance(left, float) and isinstance(right, float):
            return reckon(left, right)
        return {_without(labels, "__name__"): reckon(a, b) for labels, a, b in _pairs(left, right)}
    if sign in _COMPARE and isinstance(left, dict):
        compare = _COMPARE[sign]
        return {labels: a for labels, a, b in _pairs(left, right) if compare(a, b)}
    raise Unsupported(sign)


def _pairs(left: float | Vector, right: float | Vector) -> Iterable[tuple[Labels, float, float]]:
    """Vector and scalar either way round, or two vectors matched by all their labels but the name."""
    if isinstance(left, dict) and isinstance(right, dict):
        others = {_without(labels, "__name__"): value for labels, value in right.items()}
        for labels, value in left.items():
            if (other := others.get(_without(labels, "__name__"))) is not None:
                yield labels, value, other
    elif isinstance(left, dict):
        assert isinstance(right, float)
        yield from ((labels, value, right) for labels, value in left.items())
    else:
        assert isinstance(right, dict)
        yield from ((labels, left, value) for labels, value in right.items())


def _without(labels: Labels, *names: str) -> Labels:
    return frozenset(pair for pair in labels if pair[0] not in names)
