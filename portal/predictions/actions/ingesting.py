"""What the API answered comes into the history, once each, whatever happens on the way.

Each object is one transaction with the row that says it has been read: an interrupted pass goes on where it was, and a
call that lies in two objects, or is read by two portals at once, is one row by its id.

Source: docs/contract.md section 10
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.db import DatabaseError, DataError, IntegrityError, connection, transaction
from django.utils import timezone

from portal.errors import BackendAway, GatewayError
from portal.gateways import captures
from portal.gateways.captures import Call, Content, Object
from portal.predictions import states
from portal.predictions.actions.recording import Acquaintances, row_of
from portal.predictions.actions.running import refresh_batch
from portal.predictions.models import Batch, CapturedObject, Prediction

log = logging.getLogger(__name__)

# Functions write when they can, and not in the order of their keys.
OVERLAP = timedelta(hours=1)
READERS = 8  # reading an object is waiting, not work
AHEAD = 2 * READERS
NAMED = 20  # lines, in the log


@dataclass
class Ingested:
    """What a pass found.

    Attributes:
        taken: new in the history; known: there already
        unreadable, kept_back: lines, as CapturedObject has them
    """

    objects: int = 0
    taken: int = 0
    known: int = 0
    unreadable: int = 0
    kept_back: int = 0


def ingest_captures(*, again: bool = False) -> Ingested:
    """Take what is new in the bucket into the history, and follow the API's jobs.

    Args:    again: read objects once more of which lines were kept back: after an upgrade, say
    Raises:  GatewayError: the bucket cannot be read; what was taken until then stays, and nothing is lost
             Refused: no name is left for nobody's calls
    """
    done, known = Ingested(), Acquaintances()
    with ThreadPoolExecutor(READERS) as readers:
        if again:
            _read(_kept_back(), done, known, readers)
        for listed in captures.objects_after(_since()):
            _read(_unseen(listed), done, known, readers)
    since = _since()
    if since:
        CapturedObject.objects.filter(written_at__lt=since, kept_back=0).delete()
    follow_jobs()
    return done


def follow_jobs() -> None:
    """Bring the API's jobs up to date that have not ended. What cannot be asked after now is asked after next time."""
    under_way = Batch.objects.filter(source__isnull=False, state__in=states.UNDER_WAY)
    for batch in under_way.select_related("version__model", "user"):
        try:
            refresh_batch(batch, with_progress=False)
        except GatewayError as error:
            log.warning("The job %s cannot be asked after: %s", batch.pk, error.detail)
            if isinstance(error, BackendAway):
                return


def _since() -> datetime | None:
    """From when on objects are listed; a clock that is ahead somewhere keeps none of the others out."""
    past = CapturedObject.objects.filter(written_at__lte=timezone.now())
    last = past.order_by("-written_at").values_list("written_at", flat=True).first()
    return last - OVERLAP if last else None


def _unseen(listed: Sequence[Object]) -> list[Object]:
    seen = set(CapturedObject.objects.filter(key__in=[found.key for found in listed]).values_list("key", flat=True))
    return [found for found in listed if found.key not in seen]


def _kept_back() -> list[Object]:
    rows = CapturedObject.objects.filter(kept_back__gt=0).values_list("key", "written_at")
    return [Object(key, written_at, size_bytes=0) for key, written_at in rows]


def _read(objects: Iterable[Object], done: Ingested, known: Acquaintances, readers: ThreadPoolExecutor) -> None:
    for part in _parts(objects):
        for found, content in zip(part, readers.map(captures.read, part), strict=True):
            if content is None:  # its time was over
                CapturedObject.objects.filter(key=found.key).delete()
            else:
                _keep(found, content, done, known)


def _parts(objects: Iterable[Object]) -> Iterator[list[Object]]:
    """So few at a time that their contents fit in memory."""
    rest = iter(objects)
    while part := list(islice(rest, AHEAD)):
        yield part


def _keep(found: Object, content: Content, done: Ingested, known: Acquaintances) -> None:
    rows, unknown, contradicting = _rows(content.calls, known)
    kept_back = len(content.later) + unknown
    with transaction.atomic():
        taken, refused = _insert(rows)
        unreadable = len(content.unreadable) + contradicting + refused
        facts = {"lines": content.lines, "unreadable": unreadable, "kept_back": kept_back}
        CapturedObject.objects.update_or_create(key=found.key, defaults={"written_at": found.written_at, **facts})
    done.objects += 1
    done.taken += taken
    done.known += len(content.calls) - unknown - contradicting - refused - taken
    done.unreadable += unreadable
    done.kept_back += kept_back
    if unreadable or kept_back:
        log.warning(
            "%s: of %d lines %d cannot be read (%s), %d are of a later release, %d of versions that are not known here",
            found.key,
            content.lines,
            unreadable,
            ", ".join(map(str, content.unreadable[:NAMED])),
            len(content.later),
            unknown,
        )


def _rows(calls: Sequence[Call], known: Acquaintances) -> tuple[list[Prediction | Batch], int, int]:
    """Rows of different calls; how many are of versions that are not known, and how many contradict themselves."""
    rows: dict[str, Prediction | Batch] = {}
    unknown = contradicting = 0
    for call in calls:
        version = known.version_of(call)
        if version is None:
            unknown += 1
            continue
        try:
            row = row_of(call, version, known.person_of(call))
        except (ValueError, TypeError):
            contradicting += 1
            continue
        if call.id not in rows or rows[call.id].state == states.FAILED:
            rows[call.id] = row
    # In one order whoever inserts: two that wait for one another would wait for ever.
    return [rows[key] for key in sorted(rows)], unknown, contradicting


def _insert(rows: Sequence[Prediction | Batch]) -> tuple[int, int]:
    """How many are new, and how many the database does not take."""
    taken = refused = 0
    for kind in (Prediction, Batch):
        own = [row for row in rows if isinstance(row, kind)]
        _make_good(kind, own)
        new = _new(kind, own)
        try:
            with transaction.atomic():
                taken += _create(kind, new)
        except (DataError, IntegrityError):
            for row in new:
                is_taken = _create_alone(kind, row)
                taken, refused = taken + is_taken, refused + (not is_taken)
    return taken, refused


def _make_good(kind: type[Any], rows: Sequence[Any]) -> None:
    """A call may be left by both functions: as failed by the small one, which had waited long enough for the large one,
    and by that. What the large one says counts, whichever comes first.
    """
    better = {row.call_id: row for row in rows if row.state != states.FAILED}
    failed = kind.objects.filter(call_id__in=better, state=states.FAILED)
    if kind is Batch:  # a job has a key of its own; one that failed in its turn stays as it is
        failed.filter(owner="").delete()
        return
    for key, call_id in failed.values_list("pk", "call_id"):
        better[call_id].pk = key
        better[call_id].save(force_update=True)


def _new(kind: type[Any], rows: Sequence[Any]) -> list[Any]:
    """A job that was asked for twice is two calls and one batch."""
    calls = set(kind.objects.filter(call_id__in=[row.call_id for row in rows]).values_list("call_id", flat=True))
    keys = set(kind.objects.filter(pk__in=[row.pk for row in rows]).values_list("pk", flat=True))
    by_key = {row.pk: row for row in rows if row.call_id not in calls and row.pk not in keys}
    return list(by_key.values())


def _create(kind: type[Any], rows: Sequence[Any]) -> int:
    # Another portal may be at the same call just now. SQLite lets one write at a time, and would ignore far more.
    kind.objects.bulk_create(rows, batch_size=200, ignore_conflicts=connection.vendor != "sqlite")
    return kind.objects.filter(pk__in=[row.pk for row in rows]).count() if rows else 0


def _create_alone(kind: type[Any], row: Any) -> int:
    try:
        with transaction.atomic():
            return _create(kind, [row])
    except DatabaseError as error:
        log.warning("The call %s is not taken by the database: %s", row.call_id, type(error).__name__)
        return 0
