"""Roles, permissions and the fixed credentials of the emulated account.

Belongs here: who may do what, and the demo secrets (fixed, documented, worth nothing elsewhere).
Does not belong here: verifying a signature (auth_tba, auth_m2m). Source: netsuite.md 2, 3 (role permissions [I]).
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger_pipelines.sandbox.netsuite import demo_keys
from ledger_pipelines.sandbox.netsuite.auth_m2m import Certificate
from ledger_pipelines.sandbox.netsuite.auth_tba import TokenSecrets
from ledger_pipelines.sandbox.netsuite.errors import insufficient_permission
from ledger_pipelines.sandbox.netsuite.schema import RecordType

VIEW, CREATE, EDIT, FULL = 1, 2, 3, 4
_NAMES = {VIEW: "View", CREATE: "Create", EDIT: "Edit", FULL: "Full"}


@dataclass(frozen=True)
class Role:
    """A role: everything at Full except what `limits` lowers (0 = none). `suiteql` is the Workbook permission."""

    id: int
    name: str
    limits: tuple[tuple[str, int], ...] = ()
    suiteql: bool = True

    def level(self, permission: str) -> int:
        """The level of a permission by its name."""
        return dict(self.limits).get(permission, FULL)


ROLES = {
    1000: Role(1000, "Ledger Pipelines Integration"),
    1001: Role(
        1001,
        "Ledger Pipelines Limited",
        (("Make Journal Entry", 0), ("Deposit", 0), ("Customers", VIEW), ("Subsidiaries", 0)),
    ),
}

TOKENS: dict[str, tuple[TokenSecrets, int]] = {
    "tk-demo-0001": (
        TokenSecrets("ck-demo-0001", "cs-demo-secret-0001", "tk-demo-0001", "ts-demo-secret-0001"),
        1000,
    ),
    "tk-demo-limited": (
        TokenSecrets("ck-demo-0001", "cs-demo-secret-0001", "tk-demo-limited", "ts-demo-secret-limited"),
        1001,
    ),
}

CERTIFICATES = (
    Certificate("client-demo-0001", "cert-demo-rsa-0001", demo_keys.RSA_PUBLIC_PEM, 1000, 11),
    Certificate("client-demo-limited", "cert-demo-ec-0001", demo_keys.EC_PUBLIC_PEM, 1001, 12),
)


@dataclass(frozen=True)
class Identity:
    """Who is calling."""

    role: Role
    name: str


def require(identity: Identity, record_type: RecordType, level: int) -> None:
    """Check a permission on a record type. Raises NetSuiteError 403."""
    if identity.role.level(record_type.permission) < level:
        raise insufficient_permission(record_type.permission, _NAMES[level])


def _set(token: str, client: Certificate, key: str, algorithm: str) -> dict[str, object]:
    secrets, role = TOKENS[token]
    return {
        "role": ROLES[role].name,
        "tba": {
            "consumer_key": secrets.consumer_key,
            "consumer_secret": secrets.consumer_secret,
            "token": secrets.token,
            "token_id": secrets.token,
            "token_secret": secrets.token_secret,
        },
        "m2m": {
            "client_id": client.client_id,
            "certificate_id": client.certificate_id,
            "private_key_pem": key,
            "algorithm": algorithm,
        },
    }


def full_credentials() -> dict[str, object]:
    """The set with every permission (3072-bit RSA, PS256)."""
    return _set("tk-demo-0001", CERTIFICATES[0], demo_keys.RSA_PRIVATE_PEM, "PS256")


def limited_credentials() -> dict[str, object]:
    """The set without journals, deposits, subsidiaries and with view-only customers (EC P-256, ES256)."""
    return _set("tk-demo-limited", CERTIFICATES[1], demo_keys.EC_PRIVATE_PEM, "ES256")
