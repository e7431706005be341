"""Which of scikit-learn's estimators are compiled, which are served in full, which are refused, and why.

PYTHONPATH=.:lambda_docker python -m tests.predictor.estimators_table             prints the counts, and surprises
PYTHONPATH=.:lambda_docker python -m tests.predictor.estimators_table --write     writes docs/estimators.md as well
"""

import argparse
import collections
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sklearn
from threadpoolctl import threadpool_limits

from predictor.compiled.parity import Compiled, compile_model
from predictor.compiled.terms import CannotCompile
from predictor.compiled.writing import write
from predictor.description import Description, describe
from predictor.trials import try_out
from tests.predictor.estimators import ESTIMATORS, NOT_SERVED, make_served

DOCS = Path(__file__).parents[2] / "docs" / "estimators.md"
_KINDS = ("compiled", "full", "refused")
_HEAD = """# scikit-learn's estimators, one by one

All {total} of scikit-learn {version}, fitted on a small table that suits each: {compiled} are compiled
(`compiled.md`), {full} are served in full, {refused} are refused. What does not predict stands before a logistic
regression. A compiled one has passed the gate: {rows:,} rows were compared for these, and the largest difference was
{worst:.1e}.

Written by `PYTHONPATH=.:lambda_docker python -m tests.predictor.estimators_table --write`; a test keeps it true.

| estimator | outcome | why |
|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """kind: one of _KINDS; rows, largest_difference: of the gate, where it was asked"""

    kind: str
    reason: str = ""
    rows: int = 0
    largest_difference: float = 0.0


def outcome_of(name: str, compare: Callable[[Description], Outcome]) -> Outcome:
    """What becomes of an estimator. compare: is asked whether what is served is compiled"""
    if name in NOT_SERVED:
        return Outcome("refused", NOT_SERVED[name])
    with threadpool_limits(1):
        return compare(describe(make_served(name)))


def by_gate(description: Description) -> Outcome:
    """Written, and compared with scikit-learn."""
    # How fast either is says little beside much else.
    found = compile_model(description, golden=try_out(description).golden, single_milliseconds=1e9)
    if isinstance(found, Compiled):
        return Outcome("compiled", rows=found.rows, largest_difference=found.largest_difference)
    return Outcome("full", found.reason)


def by_writing(description: Description) -> Outcome:
    """Written, which takes a hundredth of the time."""
    try:
        write(description.model, features=description.features)
    except CannotCompile as reason:
        return Outcome("full", str(reason))
    return Outcome("compiled") if description.output.type != "labels" else Outcome("full", "it gives labels alone")


def to_markdown(outcomes: Mapping[str, Outcome]) -> str:
    counts = collections.Counter(outcome.kind for outcome in outcomes.values())
    head = _HEAD.format(
        **{kind: counts[kind] for kind in _KINDS},
        total=len(outcomes),
        version=sklearn.__version__,
        rows=sum(outcome.rows for outcome in outcomes.values()),
        worst=max(outcome.largest_difference for outcome in outcomes.values()),
    )
    return head + "".join(f"| `{name}` | {said.kind} | {_why(said.reason)} |\n" for name, said in outcomes.items())


def _why(reason: str) -> str:
    return "no operation writes it" if reason.endswith("is not among what is written") else reason


def main() -> None:
    parser = argparse.ArgumentParser(description="What becomes of each of scikit-learn's estimators.")
    parser.add_argument("--write", action="store_true", help=f"write {DOCS.name} too")
    options = parser.parse_args()
    outcomes: dict[str, Any] = {name: outcome_of(name, by_gate) for name in ESTIMATORS}
    counts = collections.Counter(outcome.kind for outcome in outcomes.values())
    print(f"{len(outcomes)} estimators: " + ", ".join(f"{counts[kind]} {kind}" for kind in _KINDS))
    for name, outcome in outcomes.items():
        print(f"{outcome.kind:10}{name:32}{outcome.rows or '':>5}  {outcome.reason or outcome.largest_difference}")
    if options.write:
        DOCS.write_text(to_markdown(outcomes), encoding="utf-8")


if __name__ == "__main__":
    main()
