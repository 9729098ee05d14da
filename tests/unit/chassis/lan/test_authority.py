"""The authority speaks for private addresses only, its keys are nobody else's, and papers are kept while they hold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from services.chassis.lan.authority import LIFE, Papers, papers_for

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOME, OFFICE = IPv4Address("192.168.1.20"), IPv4Address("10.9.8.7")
OUTSIDE = IPv4Address("203.0.113.5")


def read(file: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(file.read_bytes())


def verify(papers: Papers, address: IPv4Address, at: datetime = NOW) -> None:
    verifier = (
        PolicyBuilder()
        .store(Store([read(papers.authority)]))
        .time(at)
        .build_server_verifier(x509.IPAddress(ip_address(str(address))))
    )
    verifier.verify(read(papers.certificate), [])


def test_a_phone_that_trusts_the_authority_believes_the_machine(tmp_path: Path) -> None:
    papers = papers_for(tmp_path, [HOME, OFFICE], NOW)
    verify(papers, HOME)
    verify(papers, OFFICE)
    with pytest.raises(VerificationError):
        verify(papers, IPv4Address("192.168.1.21"))


def test_keys_are_for_the_owner_alone(tmp_path: Path) -> None:
    papers = papers_for(tmp_path, [HOME], NOW)
    assert {file.stat().st_mode & 0o077 for file in (papers.key, tmp_path / "grid-ca.key")} == {0}
    assert not list(tmp_path.glob("*.new"))


def test_the_authority_is_bound_to_private_networks_and_no_names(tmp_path: Path) -> None:
    authority = read(papers_for(tmp_path, [HOME], NOW).authority)
    bounds = authority.extensions.get_extension_for_class(x509.NameConstraints)
    assert bounds.critical
    nets = [str(name.value) for name in bounds.value.permitted_subtrees or []]
    assert nets == ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8"]
    assert bounds.value.excluded_subtrees == [x509.DNSName("")]
    basic = authority.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (basic.critical, basic.value.ca, basic.value.path_length) == (True, True, 0)


def test_papers_are_kept_while_they_hold(tmp_path: Path) -> None:
    first = papers_for(tmp_path, [HOME, OFFICE], NOW)
    kept = (first.authority.read_bytes(), first.certificate.read_bytes())
    again = papers_for(tmp_path, [OFFICE], NOW + timedelta(days=300))
    assert (again.authority.read_bytes(), again.certificate.read_bytes()) == kept


def test_a_new_address_or_an_old_certificate_needs_a_new_one_and_no_new_trust(tmp_path: Path) -> None:
    papers = papers_for(tmp_path, [HOME], NOW)
    authority = papers.authority.read_bytes()
    papers_for(tmp_path, [OFFICE], NOW)
    verify(papers, OFFICE)
    late = NOW + LIFE - timedelta(days=20)
    papers_for(tmp_path, [OFFICE], late)
    verify(papers, OFFICE, late + timedelta(days=100))
    assert papers.authority.read_bytes() == authority


def test_an_address_outside_private_networks_is_permitted_alone(tmp_path: Path) -> None:
    papers = papers_for(tmp_path, [HOME], NOW)
    before = papers.fingerprint
    papers_for(tmp_path, [OUTSIDE], NOW)
    assert papers.fingerprint != before
    verify(papers, OUTSIDE)
    bounds = read(papers.authority).extensions.get_extension_for_class(x509.NameConstraints).value
    assert [str(name.value) for name in bounds.permitted_subtrees or []][-1] == "203.0.113.5/32"


def test_the_fingerprint_is_what_phones_show(tmp_path: Path) -> None:
    papers = papers_for(tmp_path, [HOME], NOW)
    assert papers.fingerprint == read(papers.authority).fingerprint(hashes.SHA256()).hex(":").upper()
    assert len(papers.fingerprint) == 95


@pytest.mark.parametrize(("address", "believed"), [(IPv4Address("10.1.1.1"), True), (OUTSIDE, False)])
def test_who_steals_its_key_can_speak_for_private_addresses_alone(
    tmp_path: Path, address: IPv4Address, believed: bool
) -> None:
    papers = papers_for(tmp_path, [HOME], NOW)
    ca, key = read(papers.authority), ec.generate_private_key(ec.SECP256R1())
    ca_key = serialization.load_pem_private_key((tmp_path / "grid-ca.key").read_bytes(), None)
    assert isinstance(ca_key, ec.EllipticCurvePrivateKey)
    forged = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a bank")]))
        .issuer_name(ca.subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(address)]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    verifier = PolicyBuilder().store(Store([ca])).time(NOW).build_server_verifier(x509.IPAddress(address))
    if believed:
        verifier.verify(forged, [])
    else:
        with pytest.raises(VerificationError):
            verifier.verify(forged, [])
