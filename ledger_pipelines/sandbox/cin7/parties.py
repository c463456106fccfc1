"""Contacts, branches and users.

Belongs here: unique e-mails, secondary contacts. Does not belong here: how orders link to them.
Source: cin7-omni.md 10.1, 10.2; which fields users have is not in it.
"""

from __future__ import annotations

from typing import ClassVar

from ledger_pipelines.sandbox.cin7 import schemas
from ledger_pipelines.sandbox.cin7.answers import ItemError
from ledger_pipelines.sandbox.cin7.fields import Spec, bind, initial, record_id, shown
from ledger_pipelines.sandbox.cin7.resource import DELETED, READ_ONLY, Resource
from ledger_pipelines.sandbox.cin7.store import Row
from ledger_pipelines.sandbox.codec import Document


class Contacts(Resource):
    """Customers and suppliers."""

    path, kind, sequence, called = "Contacts", "contact", "contact", "Contact"
    spec: ClassVar[Spec] = schemas.CONTACT
    verbs = DELETED

    def code(self, row: Row) -> str | None:
        """The e-mail."""
        return row.body.get("email")

    def completed(self, body: Document, sent: Document, row: Row | None) -> None:
        """E-mails are unique; secondary contacts are merged by id."""
        self.unique(body, "email", row, f"{self.called} with email")
        if "secondaryContacts" in sent:
            before = [] if row is None else list(row.body["secondaryContacts"])
            body["secondaryContacts"] = self._merged(before, sent["secondaryContacts"])

    def _merged(self, before: list[Document], sent: list[object]) -> list[Document]:
        people = {person["id"]: person for person in before}
        for one in sent:
            if not isinstance(one, dict):
                raise ItemError("secondaryContacts is invalid.")
            given = record_id(one.get("id"))
            known = None if given is None else people.get(given)
            number = self.store.next("line") if known is None else given
            start = initial(schemas.SECONDARY) if known is None else known
            people[number] = start | bind(schemas.SECONDARY, one) | {"id": number}
        return list(people.values())

    def shown(self, record: Document) -> Document:
        """The contact on the wire."""
        people = [shown(schemas.SECONDARY, person) for person in record["secondaryContacts"]]
        return shown(self.spec, record) | {"secondaryContacts": people}


class Branches(Contacts):
    """Where stock is and orders are filled; the name is `company`."""

    path, kind, sequence, called = "Branches", "branch", "branch", "Branch"
    spec: ClassVar[Spec] = schemas.BRANCH
    verbs = DELETED - {"DELETE"}

    def code(self, row: Row) -> str | None:
        """The name."""
        return row.body.get("company")


class Users(Resource):
    """Who works in the account."""

    path, kind, sequence, called = "Users", "user", "user", "User"
    spec: ClassVar[Spec] = schemas.USER
    verbs = READ_ONLY
