"""How far compiled models are from scikit-learn: the samples, the models that are timed, and a zoo of pipelines.

Each passes the gate as at a check, and then answers its own table beside scikit-learn.
"""

import json
import statistics
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import click

from benchmarks import models, parity_zoo
from benchmarks.batch.processes import ROOT
from benchmarks.report import Report

_ROWS = 500


@dataclass(frozen=True, slots=True)
class _Walked:
    """A model's own rows: how many were compared and handed over, the largest difference, and how long a walk takes."""

    compared: int
    handed_over: int
    largest_difference: float
    microseconds: float
    worst_row: Mapping[str, Any] | None


def measure(*, rows: int = _ROWS) -> Report:
    """How far compiled models are from scikit-learn, the farthest first.

    Args:   rows: of its own table that each model answers beside what the gate asks
    Raises: RuntimeError: one answers otherwise than scikit-learn does
    """
    sys.path.insert(0, str(ROOT / "lambda_docker"))
    lines, in_full, reports = [], [], {}
    for name, model, table in _models():
        # It takes minutes.
        click.echo(f"{name} …", err=True)
        found, walked = _compare(name, model, table.head(rows))
        if walked is None:
            in_full.append(f"{name}: in full, since {found.reason}")
            continue
        asked, handed_over = found.rows + walked.compared, found.handed_over + walked.handed_over
        by_gate = found.largest_difference >= walked.largest_difference
        reports[name] = {
            "gate": found.to_json(),
            "row of the largest difference": found.worst_row if by_gate else walked.worst_row,
        }
        lines.append(
            {
                "model": name,
                "rows compared": asked,
                "largest difference": max(found.largest_difference, walked.largest_difference),
                "handed over, own rows %": 100 * walked.handed_over / max(1, walked.compared + walked.handed_over),
                "handed over, all %": 100 * handed_over / max(1, asked + handed_over),
                "µs a walk": walked.microseconds,
            }
        )
    lines.sort(key=lambda line: -line["largest difference"])
    worst, compared = lines[0]["model"], sum(line["rows compared"] for line in lines)
    return Report(
        title="Compiled models beside scikit-learn",
        rows=[{**line, "largest difference": f"{line['largest difference']:.1e}"} for line in lines],
        notes=[
            f"{len(lines)} models, {compared:,} rows compared, no class another one.",
            f"The worst case, {worst}: {json.dumps(reports[worst])}",
            *in_full,
        ],
    )


def _models() -> Iterator[tuple[str, Any, Any]]:
    from model.samples import SAMPLES

    for sample in SAMPLES:
        table, target = sample.load()
        yield f"sample {sample.slug}", sample.build().fit(table, target), table
    for name in models.MODELS:
        yield f"timed {name}", *models.fit(name)
    yield from parity_zoo.zoo()


def _compare(name: str, model: Any, table: Any) -> tuple[Any, _Walked | None]:
    from predictor.compiled.parity import Compiled, compile_model
    from predictor.description import describe
    from predictor.trials import try_out

    described = describe(model)
    # Whether scikit-learn would be faster is another question.
    found = compile_model(described, golden=try_out(described).golden, single_milliseconds=1e9)
    return found, _walk(name, described, found.text, table) if isinstance(found, Compiled) else None


def _walk(name: str, described: Any, text: str, table: Any) -> _Walked:
    from predictor.compiled.parity import TOLERANCE, numbers_of, share_of
    from predictor.compiled.reading import Walker
    from predictor.compiled.terms import HandOver

    walker = Walker(json.loads(text), features=described.features, output=described.output)
    names = [feature.name for feature in described.features]
    rows = [[None if value != value else value for value in row] for row in table[names].to_numpy(object).tolist()]
    answers = described.engine.predict(list(zip(*rows, strict=True)))
    size = max(abs(number) for place in range(len(rows)) for number in numbers_of(answers.one(place)))
    taken, handed_over, worst, worst_row = [], 0, 0.0, None
    for place, row in enumerate(rows):
        began = time.perf_counter()
        try:
            said = walker.answer(row)
        except HandOver:
            handed_over += 1
            continue
        taken.append(time.perf_counter() - began)
        expected = answers.one(place)
        if said["label"] != expected["label"]:
            raise RuntimeError(f"{name} says {said} instead of {expected} of {row}.")
        pairs = zip(numbers_of(said), numbers_of(expected), strict=True)
        difference = max(share_of(*pair, size=size) for pair in pairs)
        if difference > worst:
            worst, worst_row = difference, dict(zip(names, row, strict=True))
    if worst > TOLERANCE:
        raise RuntimeError(f"{name} is {worst:.1e} from scikit-learn at {worst_row}.")
    median = statistics.median(taken) * 1e6 if taken else 0.0
    return _Walked(len(taken), handed_over, worst, median, worst_row)
