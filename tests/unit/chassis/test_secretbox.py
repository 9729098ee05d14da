"""Secrets at rest."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag

from services.chassis.secretbox import SecretBox, read_or_make_key


def test_what_is_sealed_opens_only_with_its_key(tmp_path: Path) -> None:
    key = read_or_make_key(tmp_path / "secrets" / "webhook.key")
    sealed = SecretBox(key).seal(b"hush")
    assert b"hush" not in sealed
    assert SecretBox(read_or_make_key(tmp_path / "secrets" / "webhook.key")).open(sealed) == b"hush"
    with pytest.raises(InvalidTag):
        SecretBox(read_or_make_key(tmp_path / "other.key")).open(sealed)


def test_the_key_file_is_private_and_whole(tmp_path: Path) -> None:
    path = tmp_path / "webhook.key"
    read_or_make_key(path)
    assert path.stat().st_mode & 0o077 == 0
    path.write_bytes(b"short")
    with pytest.raises(ValueError, match="32 bytes"):
        read_or_make_key(path)
