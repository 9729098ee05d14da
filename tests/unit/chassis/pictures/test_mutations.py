"""Valid pictures, bent anyhow: what the maker gives out is clean, and what it refuses it refuses as it always does."""

from __future__ import annotations

import random
import struct
import tempfile
import zlib
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, UnidentifiedImageError

from services.chassis.pictures.sanitise import MAX_PIXELS, clean
from tests.support.cleaned import faults_of
from tests.support.hostile import encoded, scene

DICE = random.Random(11)
SMALL = scene(DICE, (48, 36))
WHOLE = (
    encoded(SMALL),
    encoded(SMALL, progressive=True),
    encoded(SMALL.convert("L")),
    encoded(SMALL.convert("CMYK")),
    encoded(SMALL, "PNG"),
    encoded(SMALL.convert("P"), "PNG", transparency=3),
    encoded(SMALL.convert("RGBA"), "WEBP", lossless=True),
)
REFUSALS = (
    *(OSError, SyntaxError, ValueError, LookupError, TypeError, ArithmeticError, EOFError, struct.error, zlib.error),
    *(UnidentifiedImageError, Image.DecompressionBombError, Image.DecompressionBombWarning, RuntimeError, MemoryError),
)
"""The child turns each of these into a word; anything else would be a fault of ours."""

bends = st.lists(
    st.one_of(
        st.tuples(st.just("set"), st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=4)),
        st.tuples(st.just("insert"), st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=20)),
        st.tuples(st.just("cut"), st.floats(0.02, 1, exclude_max=True), st.just(b"")),
        st.tuples(st.just("repeat"), st.floats(0, 1, exclude_max=True), st.just(b"")),
    ),
    max_size=5,
)


def bent(content: bytes, how: list[tuple[str, float, bytes]]) -> bytes:
    for kind, where, given_bytes in how:
        at = int(where * len(content))
        if kind == "set":
            content = content[:at] + given_bytes + content[at + len(given_bytes) :]
        elif kind == "insert":
            content = content[:at] + given_bytes + content[at:]
        elif kind == "cut":
            content = content[:at]
        else:
            content = content[:at] + content[at : at + 64] + content[at:]
    return content


@given(st.sampled_from(WHOLE), bends)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_comes_out_is_clean_whatever_went_in(content: bytes, how: list[tuple[str, float, bytes]]) -> None:
    assert MAX_PIXELS <= 50_000_000, "in this very process, without the child's limits"
    with tempfile.TemporaryDirectory() as folder:
        source, full, thumb = (Path(folder) / name for name in ("in", "full", "thumb"))
        source.write_bytes(bent(content, how))
        try:
            clean(source, full, thumb)
        except REFUSALS:
            return
        assert [faults_of(path.read_bytes()) for path in (full, thumb)] == [[], []]


def test_a_whole_one_always_comes_out() -> None:
    for content in WHOLE:
        with tempfile.TemporaryDirectory() as folder:
            source, full, thumb = (Path(folder) / name for name in ("in", "full", "thumb"))
            source.write_bytes(content)
            assert clean(source, full, thumb) is not None
            assert faults_of(full.read_bytes()) == []
