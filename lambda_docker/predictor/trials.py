"""A described model, tried: how fast it answers, whether twice the same, and what it does with gaps and unknown words.

Source: docs/contract.md §5 (golden, trials, flags)
"""

import math
import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from predictor import trial_rows
from predictor.comparison import largest_difference
from predictor.description import SINGLE_REFUSED_S, Description, too_slow, words_of
from predictor.engines import Answers
from predictor.engines.sklearn_engine import first_not_finite, predict_rows
from predictor.engines.tables import build_table
from predictor.errors import Rejected
from predictor.golden import RELATIVE_TOLERANCE, has_moved
from predictor.pandas_path import with_pandas_at_need
from predictor.trial_rows import Row
from predictor.watching import Watch

_SINGLE_SLOW_S, _THOUSAND_SLOW_S = 1.0, 10.0
# What the parts of a trial may take together, so that a slow model is described and not cut off.
_GOLDEN_S, _THOUSAND_S = 8.0, 12.0
_THOUSAND = 1000
_MOST_CELLS = 1_000_000
# A difference beyond this cannot be rounding, not even of 32-bit floats.
_LAST_DIGITS = 1e-5
_UNKNOWN_WORD = "portico-unknown"
_SHOWN_WARNINGS = 5


@dataclass
class Trials:
    """What trying found out, as the manifest has it."""

    golden: list[dict[str, Any]] = field(default_factory=list)
    trials: dict[str, Any] = field(default_factory=dict)
    flags: list[dict[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def try_out(
    description: Description,
    *,
    rows: Iterable[Mapping[str, Any]] = (),
    announce: Callable[[str], None] = lambda stage: None,
    watch: Watch | None = None,
) -> Trials:
    """Try a model.

    Args:   rows: real ones, feature → value; announce: told what comes next, in words; watch: notes what else it does
    Raises: Rejected: it cannot be served; the message says why and what its author can do
    """
    return _Trial(description, announce=announce, watch=watch).run(rows)


class _Trial:
    """One model's trial, step by step; each step adds to `found`."""

    def __init__(self, description: Description, *, announce: Callable[[str], None], watch: Watch | None) -> None:
        self._description = description
        self._announce = announce
        self._watch = watch
        self._heard: list[str] = []
        self.found = Trials()

    def run(self, real: Iterable[Mapping[str, Any]]) -> Trials:
        candidates = trial_rows.make_rows(self._description.features, self._description.inputs.hints, real)
        self._announce("answering a single row")
        seconds = self._time_single(candidates[0])
        kept, answers = self._answer_golden(candidates, seconds)
        self._announce("answering 1,000 rows")
        self._time_many(kept, answers)
        self._announce("answering rows with gaps and unknown values")
        self._try_missing()
        self._try_unknown()
        self._has_changed(kept[0], answers[0])
        self._look_for_deeds()
        self.found.warnings = self._heard[:_SHOWN_WARNINGS]
        return self.found

    def _time_single(self, row: Row) -> float:
        """Seconds that a row takes once everything is imported."""
        first = self._seconds_of(row)
        if first <= SINGLE_REFUSED_S:
            # The first may have imported something; of quick ones the best of some says more than one.
            first = min([first, *(self._seconds_of(row) for _ in range(3 if first < 0.05 else 1))])
        if first > SINGLE_REFUSED_S:
            raise too_slow(first)
        self.found.trials["single"] = {"milliseconds": round(first * 1000, 3)}
        if first > _SINGLE_SLOW_S:
            self._flag("slow", f"A single row takes {first:.1f} seconds, for which a person has to wait.")
        return first

    def _seconds_of(self, row: Row) -> float:
        began = time.perf_counter()
        self._ask([row])
        return time.perf_counter() - began

    def _answer_golden(self, candidates: Sequence[Row], seconds: float) -> tuple[list[Row], list[Answers]]:
        """The rows that are answered, finitely and twice alike, and their answers; at least one."""
        kept: list[Row] = []
        answers: list[Answers] = []
        wavering = 0
        for row in candidates[: max(1, int(_GOLDEN_S / (2 * seconds + 1e-6)))]:
            try:
                first, second = self._ask([row]), self._ask([row])
            except Rejected:
                raise
            except Exception:  # noqa: S112  # a model may well have a domain (a root, a logarithm) that this row leaves
                continue
            if first_not_finite(first) is not None:
                continue
            if has_moved(first.one(), second.one()):
                wavering += 1
            kept.append(row)
            answers.append(first)
        if not kept:
            raise Rejected(
                "The model gives no finite number for any trial row, only NaN or infinity. "
                "Look at predict() for a typical row; a column that needs scaling, or a division by zero, does this."
            )
        if wavering:
            self._flag(
                "not_repeatable",
                f"Asked twice, it answered {wavering} of {len(kept)} rows differently: something in it is random. "
                "Give its parts a fixed random_state.",
            )
        else:
            names = [feature.name for feature in self._description.features]
            self.found.golden = [
                {"row": dict(zip(names, row, strict=True)), "prediction": answer.one()}
                for row, answer in zip(kept, answers, strict=True)
            ]
        return kept, answers

    def _time_many(self, kept: Sequence[Row], alone: Sequence[Answers]) -> None:
        """As many rows at once as time allows, up to 1,000; the first are `kept` ones, to be compared with `alone`."""
        most = max(len(kept), min(_THOUSAND, _MOST_CELLS // len(self._description.features)))
        size = min(10, most)
        together, seconds = self._ask_many(kept, size)
        for count in sorted({min(100, most), most} - {size}):
            if seconds * count / size > _THOUSAND_S:
                break
            size = count
            together, seconds = self._ask_many(kept, size)
        self.found.trials["thousand"] = {"milliseconds": round(seconds * 1000, 3), "rows": size}
        for_thousand = seconds * _THOUSAND / size
        if for_thousand > _THOUSAND_SLOW_S:
            self._flag("slow", f"1,000 rows take about {for_thousand:.0f} seconds, so a large file takes hours.")
        if not any(flag["code"] == "not_repeatable" for flag in self.found.flags):
            self._compare(kept, alone[:size], together)

    def _ask_many(self, kept: Sequence[Row], count: int) -> tuple[Answers, float]:
        features, hints = self._description.features, self._description.inputs.hints
        varied = [trial_rows.vary(features, hints, number) for number in range(max(0, count - len(kept)))]
        for rows in ([*kept, *varied][:count], [kept[place % len(kept)] for place in range(count)]):
            began = time.perf_counter()
            try:
                answers = self._ask(rows)
            except Rejected:
                raise
            except Exception as problem:  # a varied row may leave the model's domain; those kept were answered before
                failure = problem
                continue
            seconds = time.perf_counter() - began
            self._count_not_finite(answers, count)
            return answers, seconds
        raise Rejected(
            f"The model answers rows one by one, but not {count:,} at once, as a file needs it. {_explain(failure)}"
        ) from failure

    def _count_not_finite(self, answers: Answers, count: int) -> None:
        wrong = sum(first_not_finite(Answers(**_row_of(answers, place))) is not None for place in range(count))
        if wrong and not any(flag["code"] == "not_finite" for flag in self.found.flags):
            self._flag(
                "not_finite",
                f"For {wrong:,} of {count:,} trial rows it gave no finite number; such rows get an error.",
            )

    def _compare(self, kept: Sequence[Row], alone: Sequence[Answers], together: Answers) -> None:
        """Rows alone and among others. Raises: Rejected: others change the answer."""
        among = [Answers(**_row_of(together, place)) for place in range(len(alone))]
        pairs = list(zip(alone, among, strict=True))
        # A tie may fall either way; one label that moved is taken for that.
        labels = sum(one.labels != other.labels for one, other in pairs)
        if labels > 1 or any(largest_difference(one, other) > _LAST_DIGITS for one, other in pairs):
            if self._has_changed(kept[0], alone[0]):
                return
            raise Rejected(
                "The model answers a row differently alone and among other rows, so no single prediction would agree "
                "with a file's. Something in it looks at the whole table at predict time (a scaling within a "
                "FunctionTransformer, for instance); use a transformer that learns in fit()."
            )
        moved = {place for place, (one, other) in enumerate(pairs) if has_moved(one.one(), other.one())}
        if moved:
            # They would move in each replay.
            self.found.golden = [entry for place, entry in enumerate(self.found.golden) if place not in moved]
            self._flag(
                "last_digits",
                f"Alone and among other rows, {len(moved)} of {len(alone)} rows differ by more than "
                f"{RELATIVE_TOLERANCE:g} of their size: it calculates with few digits, or decides by a tie.",
            )

    def _try_missing(self) -> None:
        """What the features' own trials found out, and the model's words where it takes no gap at all."""
        features = self._description.features
        needed = [feature.name for feature in features if not feature.accepts_missing]
        said = ""
        if len(needed) == len(features):
            said = self._words_about([None] * len(features)) or "A value is needed for every feature."
        elif needed:
            more = f" and {len(needed) - 5} more" if len(needed) > 5 else ""
            said = f"A value is needed for {', '.join(needed[:5])}{more}."
        self.found.trials["missing"] = {"answered": len(needed) < len(features), "said": said}

    def _try_unknown(self) -> None:
        """A word that no encoder has seen, in each choice of text. The form and the API refuse those beforehand."""
        features = self._description.features
        self.found.trials["unknown_category"] = None
        places = [place for place, feature in enumerate(features) if feature.kind == "choice"]
        if not places:
            return
        row = [feature.default for feature in features]
        for place in places:
            row[place] = -987_654 if features[place].is_numeric else _UNKNOWN_WORD
        said = self._words_about(row)
        self.found.trials["unknown_category"] = {"answered": not said, "said": said}

    def _words_about(self, row: Row) -> str:
        """What the model says against a row, or nothing where it answers."""
        try:
            answers = self._ask([row], listen=False)
        except Rejected as problem:
            return problem.message
        except Exception as problem:  # raising is the model's way to say no
            return _explain(problem)
        return "" if first_not_finite(answers) is None else "The model gives no finite number then."

    def _has_changed(self, row: Row, before: Answers) -> bool:
        """Whether the answer to a row depends on what was asked meanwhile."""
        known = {flag["code"] for flag in self.found.flags}
        if known & {"not_repeatable", "changes_itself"} or not has_moved(before.one(), self._ask([row]).one()):
            return "changes_itself" in known
        self.found.golden = []
        self._flag(
            "changes_itself", "After other rows it answered the first one differently: predicting changes the model."
        )
        return True

    def _look_for_deeds(self) -> None:
        deeds = self._watch.take() if self._watch is not None else []
        if deeds:
            self._flag(
                "reads_files",
                f"While predicting it {' and '.join(deeds)}. A model should need nothing but its row; "
                "in the functions such things are slow, or refused.",
            )

    def _ask(self, rows: Sequence[Row], *, listen: bool = True) -> Answers:
        """Answers as the engine gives them; warnings are kept. Raises: Rejected; whatever the model raises."""
        columns: list[list[Any]] = [list(column) for column in zip(*rows, strict=True)]
        inputs, features, output = self._description.inputs, self._description.features, self._description.output
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            table = build_table(columns, inputs=inputs, features=features)
            estimator = self._description.model
            answers = self._watched(lambda: predict_rows(estimator, table, output))
        if listen:
            self._hear(caught)
        _require_shape(answers, len(rows), self._description)
        return answers

    def _watched(self, work: Callable[[], Answers]) -> Answers:
        # The first answer imports what it needs.
        if self._watch is None or "single" not in self.found.trials:
            return with_pandas_at_need(work)
        with self._watch.on():
            return with_pandas_at_need(work)

    def _hear(self, caught: Iterable[warnings.WarningMessage]) -> None:
        for found in caught:
            if issubclass(found.category, DeprecationWarning | FutureWarning | PendingDeprecationWarning):
                continue
            lines = str(found.message).strip().splitlines()
            sentence = f"Predicting warned: {lines[0][:300]}" if lines else ""
            if sentence and sentence not in self._heard:
                self._heard.append(sentence)

    def _flag(self, code: str, message: str) -> None:
        self.found.flags.append({"code": code, "message": message})


def _row_of(answers: Answers, place: int) -> dict[str, Any]:
    """One row of `answers`, as an Answers' arguments."""
    lists = {name: getattr(answers, name) for name in ("labels", "values", "probabilities", "scores")}
    return {name: None if listed is None else listed[place : place + 1] for name, listed in lists.items()}


def _require_shape(answers: Answers, count: int, description: Description) -> None:
    """Raises: Rejected: not one answer a row, or answers that JSON cannot write."""
    classes = description.output.classes or ()
    for name in ("labels", "values", "probabilities", "scores"):
        listed = getattr(answers, name)
        if listed is not None and len(listed) != count:
            raise Rejected(f"The model gave {len(listed):,} answers for {count:,} rows. It must give one a row.")
    for label in answers.labels or ():
        if not isinstance(label, str | int | float | bool) or (isinstance(label, float) and not math.isfinite(label)):
            raise Rejected(
                f"The model answers with a {type(label).__name__[:60]}, which JSON cannot write. "
                "Train it on numbers or text as targets."
            )
    for row in answers.probabilities or ():
        if len(row) != len(classes):
            raise Rejected(f"The model gives {len(row)} probabilities for {len(classes)} classes.")


def _explain(problem: Exception) -> str:
    return f"The model cannot answer for these values: {words_of(problem)}."
