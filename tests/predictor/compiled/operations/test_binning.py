"""Bins and their edges."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer

from tests.predictor.compiled.comparing import Compared, Data, data_sets
from tests.predictor.compiled.fitting import few, fit


@pytest.mark.parametrize("encode", ("ordinal", "onehot", "onehot-dense"))
@few(4)
@given(data=data_sets(), strategy=st.sampled_from(("uniform", "quantile", "kmeans")), bins=st.integers(2, 5))
def test_bins_before_a_model_with_rows_on_edges_answer_alike(data: Data, encode: str, strategy: str, bins: int) -> None:
    binner = KBinsDiscretizer(
        bins, encode=encode, strategy=strategy, quantile_method="averaged_inverted_cdf", random_state=0
    )
    fitted = fit(make_pipeline(binner, Ridge()), data.table, data.values)

    Compared(fitted).check(data)
