"""The answer as one page that needs nothing beside itself: no script, no other file; its only style is named by hash in
its own content policy, so that nothing foreign can be shown with it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from importlib.resources import files

import jinja2

from schemas.labels import Labels
from services.dispatch.whatif.charts import columns, pairs
from services.dispatch.whatif.view import Bar, View

MOST_BARS = 15
"""Rows of a plot; the table below it has them all."""


def page(view: View) -> str:
    """The whole page."""
    here = files("services.dispatch.whatif")
    style = here.joinpath("page.css").read_text("utf-8")
    labels = Labels(view.lang)
    template = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string(
        here.joinpath("page.html.j2").read_text("utf-8")
    )
    return template.render(
        view=view,
        style=style,
        digest=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        text=labels.text,
        plots=list(_plots(view, labels)),
        tables=list(_tables(view, labels)),
    )


def _plots(view: View, labels: Labels) -> Iterator[tuple[str, str, str]]:
    text = labels.text
    if view.shifts:
        yield text("whatif.shifts"), columns(view.shifts, text("whatif.shifts")), text("whatif.shifts.hint")
    for key, bars in (("loads", view.loads), ("by_category", view.breaches), ("helping", view.helping)):
        if bars:
            title = text(f"whatif.{key}")
            drawn = pairs(bars[:MOST_BARS], title, text("whatif.before"), text("whatif.after"))
            yield title, drawn, text("whatif.first", n=MOST_BARS) if len(bars) > MOST_BARS else ""


def _tables(view: View, labels: Labels) -> Iterator[tuple[str, Sequence[Sequence[str]]]]:
    text = labels.text
    if view.clocks:
        yield text("whatif.clocks"), view.clocks
    for key, bars in (("loads", view.loads), ("by_category", view.breaches)):
        if bars:
            heads = ("", text("whatif.before"), text("whatif.after"), "", "")
            yield text(f"whatif.{key}"), [heads, *(_row(each) for each in bars)]
    for key, counts in (("parted", view.parted), ("faults", view.faults)):
        if counts:
            yield (
                text(f"whatif.{key}"),
                [("", text("whatif.cases_n")), *((count.label, count.value) for count in counts)],
            )


def _row(each: Bar) -> tuple[str, ...]:
    change = f"{each.after - each.before:+d}" if each.after != each.before else ""
    return each.label, str(each.before), str(each.after), change, each.note
