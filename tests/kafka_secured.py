"""A real broker with a listener that speaks TLS only and lets nobody in without a log-in.

Who comes by the plain listener may do everything, as the broker's own administrator; who logs in may do nothing that is
not allowed (deny by default).
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from kafka_broker import Broker, free_port

HOST = "127.0.0.1"
LIFETIME = timedelta(days=2)
LOGIN = "org.apache.kafka.common.security"
PROPERTIES = """\
listeners=PLAINTEXT://{host}:{plain},CONTROLLER://{host}:{controller},SECURED://{host}:{secured}
advertised.listeners=PLAINTEXT://{host}:{plain},SECURED://{host}:{secured}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURED:SASL_SSL
listener.name.secured.ssl.keystore.type=PEM
listener.name.secured.ssl.keystore.location={keystore}
listener.name.secured.sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN
listener.name.secured.scram-sha-512.sasl.jaas.config={login}.scram.ScramLoginModule required;
listener.name.secured.plain.sasl.jaas.config={login}.plain.PlainLoginModule required {people};
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
"""


class SecuredBroker(Broker):
    """Its log-ins are these, by SCRAM-SHA-512 and PLAIN; `authorities` vouches for it, `strangers` does not."""

    def __init__(self, folder: Path, passwords: Mapping[str, str]) -> None:
        super().__init__(folder)
        self.secured_port = free_port()
        self.passwords = passwords
        self.authorities = folder / "authorities.pem"
        self.strangers = folder / "strangers.pem"

    @property
    def secured(self) -> str:
        """Where it listens for those who log in."""
        return f"{HOST}:{self.secured_port}"

    def properties(self) -> str:
        """The same, with the other listener; makes the certificates."""
        keystore = self.folder / "broker.pem"
        authority, key = new_authority("The shop's authority")
        keystore.write_bytes(identity(authority, key))
        self.authorities.write_bytes(authority.public_bytes(Encoding.PEM))
        self.strangers.write_bytes(new_authority("Somebody else's authority")[0].public_bytes(Encoding.PEM))
        more = PROPERTIES.format(
            host=HOST,
            plain=self.port,
            controller=self.controller_port,
            secured=self.secured_port,
            keystore=keystore,
            login=LOGIN,
            people=" ".join(f'user_{name}="{password}"' for name, password in self.passwords.items()),
        )
        return super().properties() + more

    def formatting(self) -> list[str]:
        """The log-ins of SCRAM."""
        people = self.passwords.items()
        credentials = [f"SCRAM-SHA-512=[name={name},password={password}]" for name, password in people]
        return [*super().formatting(), *(option for one in credentials for option in ("--add-scram", one))]


def new_authority(name: str) -> tuple[x509.Certificate, EllipticCurvePrivateKey]:
    """A certificate that signs itself and others."""
    key = generate_private_key(SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        _certificate(subject, subject, key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return made, key


def identity(authority: x509.Certificate, authority_key: EllipticCurvePrivateKey) -> bytes:
    """The broker's key and certificates as PEM."""
    key = generate_private_key(SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker")])
    certificate = (
        _certificate(subject, authority.subject, key)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address(HOST))]), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private + b"".join(one.public_bytes(Encoding.PEM) for one in (certificate, authority))


def _certificate(subject: x509.Name, issuer: x509.Name, key: EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - LIFETIME)
        .not_valid_after(now + LIFETIME)
    )
