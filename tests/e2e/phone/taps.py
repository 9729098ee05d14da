"""Counts what a finger does on the form, in the page itself: all taps but the camera's and those that begin typing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page

MOST = 4

# Trusted events alone: what a script clicks is no tap. The camera and the keyboard open from their own fields.
_LISTEN = """() => {
  window.taps = [];
  const typing = 'textarea, input:not([type=checkbox]):not([type=radio]):not([type=file])';
  addEventListener('pointerdown', event => {
    if (!event.isTrusted) return;
    if (event.target.closest('.photo-add, input[type=file]')) return;
    if (event.target.closest(typing)) return;
    window.taps.push(event.target.textContent.trim().slice(0, 20));
  }, true);
}"""


@dataclass(frozen=True, slots=True)
class Taps:
    """Listens to one page from now on, as long as it is not loaded anew."""

    page: Page

    def listen(self) -> None:
        self.page.evaluate(_LISTEN)

    def made(self) -> list[str]:
        """What was tapped so far, by its words."""
        found: list[str] = self.page.evaluate("() => window.taps")
        return found


def faults(taps: list[str], report: Mapping[str, Any], shown: str, place: str) -> list[str]:
    """Why a way through the form is not what was promised; empty if it is. `shown`: what the form said of the place."""
    found = [f"{len(taps)} taps: {taps}"] if len(taps) > MOST else []
    if not report.get("category"):
        found.append("no category was chosen")
    if place not in shown:
        found.append(f"the place was not shown: {shown!r}")
    return found
