"""Rows as they might have come together in two years: many people, models, versions and texts.

    python -m benchmarks.portal.filling ROWS

Of a hundred predictions, one batch. Everything is drawn from one seed, so that two databases hold the same.
"""

import json
import random
import sys
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management import call_command
from django.db import connection

import benchmarks.portal.setup  # noqa: F401 -- before all that needs Django
from portal.accounts import actions as accounts
from portal.accounts import roles
from portal.accounts.models import User
from portal.predictions.models import Batch, Prediction
from portal.registry import states
from portal.registry.models import Band, Feature, Model, ModelVersion

PEOPLE, VERSIONS = 200, 8
FIRST, DAYS = datetime(2024, 11, 1, tzinfo=UTC), 730
CHUNK = 2_000
RARE_EVERY = 50_000  # rows; the search for something that hardly ever occurs
RARE_WORD, RARE_CLASS = "Wilhelmshaven", "Emperor"
ISLANDS, SPECIES = ("Biscoe", "Dream", "Torgersen"), ("Adelie", "Chinstrap", "Gentoo")
WORDS = [
    "invoice",
    "parcel",
    "arrived",
    "late",
    "broken",
    "screen",
    "refund",
    "address",
    "changed",
    "password",
    "login",
    "slow",
    "again",
    "please",
    "order",
]
BANDS = ("Good result", "Worth a look", "Bad result")
FEATURES = {
    "penguins": ("bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "island"),
    "credit": ("income", "age", "debt_ratio", "open_loans", "late_payments", "years_employed"),
    "houses": ("rooms", "area_m2", "built", "latitude", "longitude"),
    "tickets": ("text",),
}


def main(rows: int) -> None:
    """Make the tables and fill them; prints how long it took."""
    started = time.perf_counter()
    call_command("migrate", verbosity=0)
    chance = random.Random(7)  # noqa: S311 -- made-up rows
    people, versions = _make_people(), _make_models()
    pending: list[Prediction] = []
    for prediction in _predictions(rows, chance, people, versions):
        pending.append(prediction)
        if len(pending) == CHUNK:
            Prediction.objects.bulk_create(pending)
            pending.clear()
    Prediction.objects.bulk_create(pending)
    Batch.objects.bulk_create(_batches(rows // 100, chance, people, versions), batch_size=500)
    with connection.cursor() as cursor:
        # What autovacuum does within minutes on PostgreSQL. Nobody does it on SQLite, and here neither.
        if connection.vendor == "postgresql":
            cursor.execute("VACUUM ANALYZE")
        else:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    print(json.dumps({"seconds": time.perf_counter() - started}))


def _make_people() -> list[User]:
    # No password: the benchmark's client is let in without one, and hashing two hundred takes a minute.
    people = [User.objects.create(username=f"person{number:03}") for number in range(PEOPLE)]
    for person in people:
        accounts.assign_role(person, roles.PREDICTOR)
    accounts.assign_role(User.objects.create(username="owner"), roles.MODEL_OWNER)
    return people


def _make_models() -> list[ModelVersion]:
    owner = User.objects.get(username="owner")
    made = []
    for slug, features in FEATURES.items():
        model = Model.objects.create(name=slug.capitalize(), slug=slug, created_by=owner)
        for number in range(1, VERSIONS + 1):
            state = states.LIVE if number == VERSIONS else states.READY
            version = ModelVersion.objects.create(
                model=model, number=number, state=state, file_name="model.pkl", size_bytes=100_000, sha256="0" * 64,
                created_by=owner, manifest=_manifest(slug),
            )  # fmt: skip
            for position, name in enumerate(features):
                kind = Feature.TEXT if name in ("text", "island") else Feature.NUMBER
                Feature.objects.create(version=version, position=position, name=name, kind=kind)
            for upper, label in zip((0.3, 0.7, None), BANDS, strict=True):
                Band.objects.create(version=version, upper=upper, label=label)
            made.append(version)
    return made


def _manifest(slug: str) -> dict[str, Any]:
    output = {
        "penguins": {"type": "multiclass", "classes": [*SPECIES, RARE_CLASS], "probabilities": True},
        "houses": {"type": "regression", "classes": None, "probabilities": False},
    }.get(slug, {"type": "binary", "classes": ["no", "yes"], "probabilities": True})
    golden = [{"row": {"x": position / 7}, "prediction": {"value": position / 3}} for position in range(20)]
    return {"output": output, "golden": golden, "features": [], "versions": {"scikit-learn": "1.9.1"}}


def _predictions(
    rows: int, chance: random.Random, people: list[User], versions: list[ModelVersion]
) -> Iterator[Prediction]:
    for number, moment in enumerate(_moments(rows, chance)):
        version = _version_of(number / rows, chance, versions)
        row = Prediction(
            id=uuid.UUID(int=chance.getrandbits(128), version=4), user=_one_of(people, chance), version=version,
            inputs=_inputs(version.model.slug, chance), created_at=moment, milliseconds=chance.expovariate(0.2),
            is_cold=chance.random() < 0.01, state="answered",
        )  # fmt: skip
        _answer(row, chance, is_rare=number % RARE_EVERY == RARE_EVERY // 3)
        row.derive()
        yield row


def _inputs(slug: str, chance: random.Random) -> dict[str, Any]:
    if slug == "tickets":
        return {"text": " ".join([*chance.choices(WORDS, k=12), f"ref{chance.randrange(10**7)}"])}
    values: dict[str, Any] = {name: round(chance.gauss(40, 12), 2) for name in FEATURES[slug]}
    return values | {"island": chance.choice(ISLANDS)} if slug == "penguins" else values


def _answer(row: Prediction, chance: random.Random, *, is_rare: bool) -> None:
    slug, share = row.version.model.slug, chance.random()
    if chance.random() < 0.02:
        row.state = chance.choice(("refused", "refused", "failed", "sending"))
        row.error = "income: 'abc' is not a number" if row.state == "refused" else "The model took too long."
        return
    if slug == "houses":
        row.value = row.band_value = chance.gauss(300_000, 90_000)
        row.outcome = repr(row.value)
        return
    classes = SPECIES if slug == "penguins" else ("no", "yes")
    row.outcome = row.outcome_words = RARE_CLASS if is_rare else chance.choice(classes)
    row.probabilities = [[name, share if place == 0 else (1 - share) / 2] for place, name in enumerate(classes)]
    row.band_value, row.band_label = share, BANDS[0 if share < 0.3 else 1 if share < 0.7 else 2]
    if is_rare:
        row.inputs = row.inputs | {next(iter(row.inputs)): RARE_WORD}


def _batches(rows: int, chance: random.Random, people: list[User], versions: list[ModelVersion]) -> Iterator[Batch]:
    preview = [[str(round(chance.gauss(0, 1), 3)) for _ in range(8)] for _ in range(20)]
    for number, moment in enumerate(_moments(rows, chance)):
        failed = chance.choice((0, 0, 0, 17))
        yield Batch(
            id=uuid.UUID(int=chance.getrandbits(128), version=4), user=_one_of(people, chance),
            version=_version_of(number / rows, chance, versions), created_at=moment, attempt=1, size_bytes=10**6,
            file_name=f"{chance.choice(WORDS)}-{moment:%Y-%m}.csv", rows=1000, scored=1000 - failed, failed=failed,
            state="done_with_errors" if failed else "done", summary={"preview": preview, "rows": 1000},
        )  # fmt: skip


def _moments(rows: int, chance: random.Random) -> Iterator[datetime]:
    step = timedelta(days=DAYS) / max(rows, 1)
    for number in range(rows):
        yield FIRST + step * number + step * chance.random()


def _one_of(people: list[User], chance: random.Random) -> User:
    """Some ask far more than others: the first one as much as a tenth of all do together."""
    return people[int(len(people) * chance.random() ** 3)]


def _version_of(age: float, chance: random.Random, versions: list[ModelVersion]) -> ModelVersion:
    """Of any model, the version that was live then."""
    model = chance.randrange(len(FEATURES))
    return versions[model * VERSIONS + min(VERSIONS - 1, int(age * VERSIONS))]


if __name__ == "__main__":
    main(int(sys.argv[1]))
