"""A call of the API as a row of the history."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field

from portal.accounts import callers
from portal.accounts.models import User
from portal.gateways.captures import Call
from portal.predictions import states
from portal.predictions.actions.answering import take
from portal.predictions.actions.changing import NOT_KEPT
from portal.predictions.models import Batch, Prediction
from portal.registry.models import ModelVersion

# The original tool's page puts the moment before a file's name.
_MOMENT = re.compile(r"^\d{13}_(?=.)")
# A user of a pool, as AWS numbers them: deploy/template.yaml, PortalRole.
_SUB = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
# Where results of files that were scored within a call never lie.
_RESERVED = ("quarantine", "models", "model", "batches", "captures", "pages")
_RESULT = "_predictions.csv"


@dataclass
class Acquaintances:
    """The versions and people of many calls, each asked for once."""

    versions: dict[tuple[str, int, str], ModelVersion | None] = field(default_factory=dict)
    people: dict[str, User] = field(default_factory=dict)

    def version_of(self, call: Call) -> ModelVersion | None:
        """The very version that answered, or None where this database does not know it."""
        key = (call.slug, call.version, call.sha256)
        if key not in self.versions:
            rows = ModelVersion.objects.filter(model__slug=call.slug, number=call.version, sha256=call.sha256)
            rows = rows.defer("scan", "pending", "training_answers")
            self.versions[key] = rows.select_related("model").prefetch_related("bands").first()
        return self.versions[key]

    def person_of(self, call: Call) -> User:
        """Who called; somebody who is new is made. Raises: Refused."""
        sub = call.person.sub if call.person else ""
        if sub not in self.people:
            person = call.person
            self.people[sub] = (
                callers.of_the_pool(person.sub, email=person.email, username=person.username)
                if person
                else callers.nobody()
            )
        return self.people[sub]


def row_of(call: Call, version: ModelVersion, user: User) -> Prediction | Batch:
    """The call, not saved. Raises: ValueError, TypeError: it contradicts itself."""
    return _batch(call, version, user) if call.is_batch else _prediction(call, version, user)


def _prediction(call: Call, version: ModelVersion, user: User) -> Prediction:
    row = Prediction(
        user=user,
        version=version,
        inputs=call.inputs or {},
        # A body that could not be read has no values, and a message that says so.
        is_without_values=True if call.inputs is None and not call.message else None,
        source=call.source,
        call_id=call.id,
        request_id=call.id,
        created_at=call.at,
    )
    if call.answer:
        take(row, call.answer)
        row.state = states.ANSWERED
    else:
        row.state = states.FAILED if call.status >= 500 else states.REFUSED
        row.error = _error(call)
    row.derive()
    return row


def _batch(call: Call, version: ModelVersion, user: User) -> Batch:
    row = Batch(
        user=user,
        version=version,
        file_name=_MOMENT.sub("", call.file.rpartition("/")[2])[:200],
        size_bytes=0,
        is_without_values=None if call.file else True,
        given_key=_given_key(call),
        source=call.source,
        call_id=call.id,
        created_at=call.at,
        started_at=call.at,
    )
    if not call.is_answered:
        row.state, row.error, row.finished_at = states.FAILED, _error(call), call.at
        row.is_refused = call.status < 500
    elif call.job:
        row.id, row.owner = uuid.UUID(call.job), str(uuid.UUID(call.owner))
        row.state, row.attempt = states.QUEUED, 1
    else:
        row.state, row.finished_at, row.result_key = states.DONE, call.at, _result_key(call)
    return row


def _error(call: Call) -> str:
    said = call.message or f"The API answered with status {call.status}. {NOT_KEPT}"
    return said[:500]


def _given_key(call: Call) -> str:
    """Where the file lies, if that is in the folder that the caller has for themselves, by their `sub`: the portal may
    delete what is in such folders, and nobody else's files are.
    """
    folder, *below = call.file.split("/")
    is_own = call.person is not None and folder == call.person.sub and _SUB.fullmatch(folder) is not None
    return call.file if is_own and below and not {"", ".", ".."} & {*below} else ""


def _result_key(call: Call) -> str:
    """Where the result lies, if it is where the API puts such results: the portal hands out links to it."""
    folder, _, name = call.result.partition("/")
    is_one = folder not in ("", *_RESERVED) and name.endswith(_RESULT) and ".." not in call.result.split("/")
    return call.result if is_one else ""
