"""How good a fitted model is on the rows it never saw."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, mean_absolute_error, r2_score, roc_auc_score
from sklearn.model_selection import train_test_split

from model.sample import Sample

SPLIT_SEED = 20


@dataclass(frozen=True)
class Split:
    """The two halves of a sample's rows: the model is fitted on one and judged on the other, never both."""

    train: pd.DataFrame
    train_target: pd.Series
    held_out: pd.DataFrame
    held_out_target: pd.Series


@dataclass(frozen=True)
class Quality:
    """Figures on the held-out rows. `figures` are named numbers, `sentence` words them for the notes."""

    figures: dict[str, float]
    sentence: str


def split_rows(sample: Sample) -> Split:
    """The sample's rows in two, always the same two; classes in equal shares in both."""
    features, target = sample.load()
    train, held_out, train_target, held_out_target = train_test_split(
        features,
        target,
        test_size=sample.held_out,
        random_state=SPLIT_SEED,
        stratify=None if sample.is_regression else target,
    )
    return Split(train, train_target, held_out, held_out_target)


def measure_quality(sample: Sample, estimator: Any, split: Split) -> Quality:
    """Accuracy and area under the ROC curve, or R² and mean absolute error."""
    rows = f"Fitted on {len(split.train)} rows; on {len(split.held_out)} rows kept back"
    predicted = estimator.predict(split.held_out)
    if sample.is_regression:
        r2 = float(r2_score(split.held_out_target, predicted))
        error = float(mean_absolute_error(split.held_out_target, predicted))
        sentence = f"{rows}, R² is {r2:.2f} and the answer is off by {error:.0f} {sample.target_unit} on average."
        return Quality({"r2": r2, "mean_absolute_error": error}, sentence)
    accuracy = float(accuracy_score(split.held_out_target, predicted))
    auc = measure_auc(estimator.predict_proba(split.held_out), split.held_out_target, estimator.classes_)
    return Quality(
        {"accuracy": accuracy, "auc": auc}, f"{rows}, {accuracy:.1%} were right; area under the ROC curve {auc:.3f}."
    )


def measure_auc(probabilities: np.ndarray, target: pd.Series, classes: np.ndarray) -> float:
    """Area under the ROC curve: of the last class if there are two, else the mean of each class against the rest."""
    if len(classes) == 2:
        return float(roc_auc_score(target == classes[1], probabilities[:, 1]))
    return float(roc_auc_score(target, probabilities, multi_class="ovr", labels=classes))
