"""Certificate authorities for one rehearsal, thrown away with it: one for servers, one for clients."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from generator.errors import RehearsalError

LIFETIME = datetime.timedelta(days=30)
CLIENTS_FILE = "clients.json"
DOOR_FILE = "door.pem"
"""A good client certificate and its key, for whoever only wants to get in."""
REVOCATIONS_FILE = "rehearsal-clients.crl"
"""The revocation list in the conf folder of a Keycloak that has to look at certificates itself."""


@dataclass(frozen=True)
class Certificate:
    """A certificate and its private key, both PEM."""

    certificate: bytes
    key: bytes = field(repr=False)


@dataclass(frozen=True)
class Authority:
    """An authority that signs for one rehearsal."""

    certificate: bytes
    """PEM."""
    key: bytes = field(repr=False)
    """PEM."""

    def issue(self, names: Sequence[str]) -> Certificate:
        """A server certificate for DNS names, the first of which is its common name; wildcards are
        allowed."""
        from cryptography import x509
        from cryptography.x509.oid import ExtendedKeyUsageOID

        key = _key()
        builder = _builder(_name(names[0]), key)
        alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        builder = builder.add_extension(alternatives, False)
        return self._signed(builder, key, ExtendedKeyUsageOID.SERVER_AUTH)

    def issue_client(self, name: str, *, expired: bool = False, numbered: Certificate | None = None) -> Certificate:
        """A client certificate whose subject is `CN=name,O=Drill`; one that was valid until yesterday if
        `expired`, one with the number of another if `numbered`.

        Its base64 holds `+` and `/`, which a balancer leaves as they are in a header and which many decoders
        take for something else.
        """
        from cryptography.x509.oid import ExtendedKeyUsageOID

        while True:
            key = _key()
            builder = _builder(_name(name, "Drill"), key, ended=expired, serial=numbered and _serial(numbered))
            made = self._signed(builder, key, ExtendedKeyUsageOID.CLIENT_AUTH)
            if b"+" in made.certificate and b"/" in made.certificate:
                return made

    def revoke(self, *revoked: Certificate) -> bytes:
        """A revocation list in PEM that holds these certificates."""
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

        authority = x509.load_pem_x509_certificate(self.certificate)
        now = _now()
        builder = x509.CertificateRevocationListBuilder().issuer_name(authority.subject)
        builder = builder.last_update(now - datetime.timedelta(hours=1)).next_update(now + LIFETIME)
        builder = builder.add_extension(x509.CRLNumber(1), False)
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()), False)
        for one in revoked:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder().serial_number(_serial(one)).revocation_date(
                    now - datetime.timedelta(hours=1)).build())
        return builder.sign(load_pem_private_key(self.key, None), hashes.SHA256()).public_bytes(Encoding.PEM)

    def _signed(self, builder, key, usage) -> Certificate:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        authority = x509.load_pem_x509_certificate(self.certificate)
        builder = builder.issuer_name(authority.subject)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), False)
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()), False)
        signed = builder.sign(load_pem_private_key(self.key, None), hashes.SHA256())
        return Certificate(_pem(signed), _private(key))


@dataclass(frozen=True)
class Clients:
    """Who signs client certificates of a rehearsal, in the place of the authorities in a trust store's bundle."""

    authority: Authority
    door: Certificate
    """A good certificate, for whoever only wants to get in."""
    revoked: Certificate
    """One that the revocation list holds."""

    @property
    def revocations(self) -> bytes:
        """The revocation list, PEM."""
        return self.authority.revoke(self.revoked)

    def issue_revoked(self, name: str) -> Certificate:
        """A client certificate of that name that is revoked as well: a list holds numbers, not names."""
        return self.authority.issue_client(name, numbered=self.revoked)

    def store(self, folder: Path) -> None:
        """Writes what `load` reads, for nobody else to read."""
        text = json.dumps({name: {part: value.decode() for part, value in asdict(one).items()}
                           for name, one in (("authority", self.authority), ("door", self.door),
                                             ("revoked", self.revoked))}, indent=1)
        shown = (self.door.certificate + self.door.key).decode()
        for name, content in ((CLIENTS_FILE, text), (DOOR_FILE, shown)):
            descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(content)

    @classmethod
    def load(cls, folder: Path) -> Clients | None:
        """What `store` wrote; None where the rehearsal has no client certificates.

        Raises RehearsalError for a file that can't be read.
        """
        try:
            stored = json.loads((folder / CLIENTS_FILE).read_text(encoding="utf-8"))
            parts = {name: (one["certificate"].encode(), one["key"].encode()) for name, one in stored.items()}
            own = Authority(*parts["authority"])
            return cls(own, Certificate(*parts["door"]), Certificate(*parts["revoked"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RehearsalError(f"the rehearsal's client certificates can't be read: {error}") from error


def clients(name: str) -> Clients:
    """A new authority for client certificates, and a certificate that it revoked."""
    made = authority(f"clients of {name}")
    return Clients(made, made.issue_client("door"), made.issue_client("revoked"))


def authority(name: str) -> Authority:
    """A new authority whose common name says what it is for."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    key = _key()
    subject = _name(f"Rehearsal of {name}"[:64])
    builder = _builder(subject, key).issuer_name(subject)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
    builder = builder.add_extension(
        x509.KeyUsage(digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False,
                      key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False,
                      decipher_only=False), True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
    return Authority(_pem(builder.sign(key, hashes.SHA256())), _private(key))


def self_signed(name: str) -> Certificate:
    """A client certificate with the subject that `Authority.issue_client` gives it, signed by nobody else."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import ExtendedKeyUsageOID

    key = _key()
    subject = _name(name, "Drill")
    builder = _builder(subject, key).issuer_name(subject)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False)
    return Certificate(_pem(builder.sign(key, hashes.SHA256())), _private(key))


def _key():
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1())


def _name(common_name: str, organization: str = ""):
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization)] if organization else []
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])])


def _serial(one: Certificate) -> int:
    from cryptography import x509

    return x509.load_pem_x509_certificate(one.certificate).serial_number


def _builder(subject, key, *, ended: bool = False, serial: int | None = None):
    from cryptography import x509

    now = _now()
    begins, ends = now - datetime.timedelta(hours=1), now + LIFETIME
    if ended:
        begins, ends = now - LIFETIME, now - datetime.timedelta(days=1)
    return (x509.CertificateBuilder().subject_name(subject).public_key(key.public_key())
            .serial_number(serial or x509.random_serial_number()).not_valid_before(begins).not_valid_after(ends))


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)


def _pem(certificate) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM)


def _private(key) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
