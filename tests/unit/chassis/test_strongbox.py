"""Keys can be changed; what is sealed opens only where it belongs."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.strongbox import Strongbox, Unopened, strongbox

OLD, NEW = bytes(range(32)), bytes(range(1, 33))


@given(plain=st.binary(max_size=300), about=st.binary(max_size=40))
def test_what_was_sealed_opens_again_and_tells_nothing_before(plain: bytes, about: bytes) -> None:
    box = Strongbox([OLD])
    sealed = box.seal(plain, about)
    assert box.open(sealed, about) == plain
    assert sealed != box.seal(plain, about)
    assert len(plain) < 4 or plain not in sealed


def test_it_opens_only_about_the_same_thing() -> None:
    box = Strongbox([OLD])
    sealed = box.seal(b"name", b"report 1")
    with pytest.raises(Unopened):
        box.open(sealed, b"report 2")
    with pytest.raises(Unopened):
        box.open(sealed[:-1] + bytes([sealed[-1] ^ 1]), b"report 1")


def test_the_last_key_seals_and_all_open() -> None:
    before, after = Strongbox([OLD]), Strongbox([OLD, NEW])
    sealed = before.seal(b"name", b"")
    assert after.open(sealed, b"") == b"name"
    again = after.seal(b"name", b"")
    assert again.startswith(after.mark)
    assert not sealed.startswith(after.mark)
    with pytest.raises(Unopened):
        before.open(again, b"")


def test_a_folder_of_keys(tmp_path: Path) -> None:
    folder = tmp_path / "vault"
    first = strongbox(folder)
    assert [path.name for path in folder.iterdir()] == ["0001.key"]
    assert (folder / "0001.key").stat().st_mode & 0o777 == 0o600
    (folder / "0002.key").write_bytes(NEW)
    both = strongbox(folder)
    assert both.mark != first.mark
    assert both.open(first.seal(b"x", b""), b"") == b"x"
    (folder / "0003.key").write_bytes(b"short")
    with pytest.raises(ValueError, match="32 bytes"):
        strongbox(folder)
