"""What one sample is: the declarations that each module of `model.samples` fills in."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Field:
    """One feature as people meet it on a form. Ranges, step and default come from the training rows.

    `choices` are (value, words) pairs; `kind` is "choice" exactly when there are some.
    """

    name: str
    label: str
    help: str
    unit: str = ""
    kind: Literal["number", "integer", "choice"] = "number"
    choices: tuple[tuple[str, str], ...] = ()
    required: bool = True


@dataclass(frozen=True)
class Band:
    """Words for the answers up to `upper` (inclusive; None: everything above the band before)."""

    upper: float | None
    label: str
    tone: Literal["good", "neutral", "caution", "bad"]


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One sample model, from its rows to the words on its page.

    `load` answers the features, columns in the order of `fields`, and the target. `held_out` is the number of rows
    kept back for the figures. `classes` gives words for class labels, in the estimator's order; None: a regression.
    `name_example` words one row for the list of examples, given the row and its true target.
    """

    slug: str
    name: str
    summary: str
    notes: str
    target_label: str
    target_unit: str = ""
    fields: tuple[Field, ...]
    bands: tuple[Band, ...]
    classes: tuple[tuple[str, str], ...] | None
    file_name: Literal["model.pkl", "model.joblib"]
    id_column: str
    held_out: int
    load: Callable[[], tuple[pd.DataFrame, pd.Series]]
    build: Callable[[], Any]
    name_example: Callable[[Row, Any], str]

    @property
    def is_regression(self) -> bool:
        return self.classes is None
