"""A certificate authority that can only speak for private addresses, and the certificate of this machine.

Its key lies in GRID_HOME and whoever has it could make certificates; the name constraints see to it that a phone that
trusts it believes them for addresses of private networks alone.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PRIVATE: Final = tuple(
    IPv4Network(net) for net in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8")
)
CA_LIFE: Final = timedelta(days=3650)
LIFE: Final = timedelta(days=397)
"""Longer ones are refused by phones."""
RENEW_BEFORE: Final = timedelta(days=30)
EARLIER: Final = timedelta(days=1)
"""For clocks of phones that are behind."""
PEM: Final = serialization.Encoding.PEM


@dataclass(frozen=True, slots=True)
class Papers:
    """What the services show and what a phone has to trust."""

    authority: Path
    certificate: Path
    key: Path

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the authority, as phones show it."""
        return _read(self.authority).fingerprint(hashes.SHA256()).hex(":").upper()


def papers_for(folder: Path, addresses: Sequence[IPv4Address], now: datetime) -> Papers:
    """Those that lie in `folder` as far as they still hold for these addresses; what does not is made anew."""
    folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    papers = Papers(folder / "grid-ca.crt", folder / "server.crt", folder / "server.key")
    key_file = folder / "grid-ca.key"
    if not _authority_holds(papers.authority, key_file, addresses, now):
        _make_authority(papers.authority, key_file, addresses, now)
        papers.certificate.unlink(missing_ok=True)
    if not _certificate_holds(papers, addresses, now):
        _make_certificate(papers, key_file, addresses, now)
    return papers


def _authority_holds(file: Path, key_file: Path, addresses: Sequence[IPv4Address], now: datetime) -> bool:
    if not (file.exists() and key_file.exists()):
        return False
    found = _read(file)
    allowed = found.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees or []
    nets = [name.value for name in allowed if isinstance(name, x509.IPAddress)]
    return found.not_valid_after_utc - LIFE > now and all(any(_in(each, net) for net in nets) for each in addresses)


def _in(address: IPv4Address, net: object) -> bool:
    return isinstance(net, IPv4Network) and address in net


def _certificate_holds(papers: Papers, addresses: Sequence[IPv4Address], now: datetime) -> bool:
    if not (papers.certificate.exists() and papers.key.exists()):
        return False
    found = _read(papers.certificate)
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    named = set(names.get_values_for_type(x509.IPAddress))
    return found.not_valid_after_utc - RENEW_BEFORE > now and set(addresses) <= named


def _make_authority(file: Path, key_file: Path, addresses: Sequence[IPv4Address], now: datetime) -> None:
    key, name = ec.generate_private_key(ec.SECP256R1()), _named(f"网格治理 {now:%Y-%m-%d %H:%M}")
    own = [IPv4Network(each) for each in addresses if not any(each in net for net in PRIVATE)]
    permitted = [x509.IPAddress(net) for net in (*PRIVATE, *own)]
    usage = x509.KeyUsage(False, False, False, False, False, key_cert_sign=True, crl_sign=True, encipher_only=False,
                          decipher_only=False)  # fmt: skip
    made = (
        _builder(name, name, key.public_key(), now, CA_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.NameConstraints(permitted, [x509.DNSName("")]), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _keep(key_file, _pem_of(key), 0o600)
    _keep(file, made.public_bytes(PEM), 0o644)


def _make_certificate(papers: Papers, ca_key_file: Path, addresses: Sequence[IPv4Address], now: datetime) -> None:
    authority, key = _read(papers.authority), ec.generate_private_key(ec.SECP256R1())
    ca_key = serialization.load_pem_private_key(ca_key_file.read_bytes(), None)
    assert isinstance(ca_key, ec.EllipticCurvePrivateKey)
    names = x509.SubjectAlternativeName([x509.IPAddress(each) for each in addresses])
    made = (
        _builder(_named("网格治理 本机"), authority.subject, key.public_key(), now, LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(names, critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    _keep(papers.key, _pem_of(key), 0o600)
    _keep(papers.certificate, made.public_bytes(PEM), 0o644)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - EARLIER)
        .not_valid_after(now - EARLIER + life)
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _read(file: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(file.read_bytes())


def _pem_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _keep(file: Path, content: bytes, mode: int) -> None:
    """Whole or not at all, and never readable by more than `mode` says."""
    fresh = file.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
        out.write(content)
    os.replace(fresh, file)
