"""Every kind of page of the history, and the first pages of people and owners: server time and number of queries.

They are asked through Django's test client.

python -m benchmarks.portal.pages ROUNDS
"""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db import connection
from django.test import Client

from benchmarks.portal.setup import worked_s  # isort: skip -- before all that needs Django
from benchmarks.portal.filling import DAYS, FIRST, RARE_CLASS, RARE_WORD
from portal.accounts.models import User
from portal.predictions.models import Prediction
from portal.predictions.paging import Place

OWNER, BUSY, QUIET = "owner", "person000", "person199"
# What a page is called, who asks, and for what of the history, or at which address; {…} stands for places in the list.
PAGES = [
    ("everything, first page", OWNER, ""),
    ("everything, the middle", OWNER, "before={middle}"),
    ("everything, the oldest rows", OWNER, "before={oldest}"),
    ("everything, back from the middle", OWNER, "after={middle}"),
    ("one model", OWNER, "model=penguins"),
    ("one model, the oldest rows", OWNER, "model=penguins&before={oldest}"),
    ("an old version of a model", OWNER, "model=penguins&version=2"),
    ("version 2 of any model", OWNER, "version=2"),
    ("one person", OWNER, "user=person017"),
    ("predictions", OWNER, "kind=prediction"),
    ("batches", OWNER, "kind=batch"),
    ("a frequent class", OWNER, "outcome=class:Gentoo"),
    ("a rare class", OWNER, f"outcome=class:{RARE_CLASS}"),
    ("a band", OWNER, "outcome=band:Bad result"),
    ("refused", OWNER, "outcome=state:refused"),
    ("failed", OWNER, "outcome=state:failed"),
    ("a month", OWNER, "since=2025-03-01&until=2025-03-31"),
    ("person, model, band, month", OWNER, "user=person017&model=penguins&outcome=band:Bad result&since=2025-03-01"),
    ("a class that the model has not", OWNER, "model=credit&outcome=class:Gentoo"),
    ("search: a frequent word", OWNER, "text=torgersen"),
    ("search: a frequent word, the oldest rows", OWNER, "text=torgersen&before={oldest}"),
    ("search: a rare word", OWNER, f"text={RARE_WORD}"),
    ("search: one row's reference", OWNER, "text={reference}"),
    ("search: a number", OWNER, "text=47.13"),
    ("search: part of a phrase", OWNER, "text=not a num"),
    ("search: nothing like it", OWNER, "text=xylophone"),
    ("search: two letters", OWNER, "text=zz"),
    ("search: signs alone", OWNER, "text=-_-"),
    ("search: a word that the model has not", OWNER, "model=houses&text=torgersen"),
    ("search: a rare word, model and band", OWNER, f"model=penguins&outcome=band:Bad result&text={RARE_WORD}"),
    ("a busy person's own", BUSY, ""),
    ("a busy person's own, the oldest rows", BUSY, "before={oldest}"),
    ("a busy person's own, class and model", BUSY, "model=penguins&outcome=class:Gentoo"),
    ("a busy person's own, a frequent word", BUSY, "text=torgersen"),
    ("a busy person's own, a rare word", BUSY, f"text={RARE_WORD}"),
    ("a quiet person's own", QUIET, ""),
    ("a quiet person's own, a frequent word", QUIET, "text=torgersen"),
    ("a quiet person's own, nothing like it", QUIET, "text=xylophone"),
    ("a busy person's first page", BUSY, "/"),
    ("the console's models", OWNER, "/admin/registry/model/"),
]


def main(rounds: int) -> None:
    """Prints {page: {queries, milliseconds, cpu, rows}}; pages take turns, so that none has the caches to itself."""
    clients = {name: _client_of(name) for name in (OWNER, BUSY, QUIET)}
    places = _places()
    found: dict[str, dict[str, Any]] = {}
    for _ in range(rounds + 1):
        for name, who, query in PAGES:
            milliseconds, cpu, queries, rows = _ask(clients[who], _address(query).format(**places))
            page = found.setdefault(name, {"queries": queries, "rows": rows, "milliseconds": [], "cpu": []})
            page["milliseconds"].append(milliseconds)
            page["cpu"].append(cpu)
            page["queries"] = max(page["queries"], queries)
    for page in found.values():
        del (
            page["milliseconds"][0],
            page["cpu"][0],
        )  # the first round finds nothing prepared: templates, clients, the connection
    print(json.dumps(found))


def _address(query: str) -> str:
    return query if query.startswith("/") else f"/history/?{query}"


def _client_of(name: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(username=name))
    return client


def _places() -> dict[str, str]:
    first = Prediction.objects.order_by("created_at")
    middle = Prediction.objects.filter(created_at__gte=FIRST + timedelta(days=DAYS / 2)).order_by("created_at")[0]
    ticket = Prediction.objects.filter(model__slug="tickets", state="answered", words__contains=" ref")[100]
    return {
        "middle": str(Place.of(middle)),
        "oldest": str(Place.of(first[100])),
        "reference": ticket.inputs["text"].rpartition(" ")[2],
    }


def _ask(client: Client, path: str) -> tuple[float, float, int, int]:
    with _counted() as queries:
        started, worked = time.perf_counter(), worked_s()
        answer = client.get(path)
        milliseconds, cpu = 1000 * (time.perf_counter() - started), 1000 * (worked_s() - worked)
    if answer.status_code != 200:
        raise RuntimeError(f"{path} answered {answer.status_code}")
    return milliseconds, cpu, len(queries), answer.content.count(b"<tr>") - 1


@contextmanager
def _counted() -> Iterator[list[str]]:
    queries: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        queries.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield queries


if __name__ == "__main__":
    main(int(sys.argv[1]))
