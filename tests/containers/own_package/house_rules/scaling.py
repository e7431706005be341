"""Numbers in thousandths."""

from typing import Any

import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin


class PerThousand(TransformerMixin, BaseEstimator):
    """Divides every column by a thousand; a DataFrame stays one."""

    def __init__(self, per: float = 1000.0) -> None:
        self.per = per

    def fit(self, table: Any, target: Any = None) -> "PerThousand":
        self.n_features_in_ = table.shape[1]
        if isinstance(table, pd.DataFrame):
            self.feature_names_in_ = table.columns.to_numpy(dtype=object)
        return self

    def transform(self, table: Any) -> Any:
        return table / self.per
