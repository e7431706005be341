"""Power and quantile transforms, and target encoding."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, PowerTransformer, QuantileTransformer, StandardScaler, TargetEncoder

from tests.predictor.compiled.comparing import Compared, Data, data_sets
from tests.predictor.compiled.fitting import few, fit


@few(6)
@given(data=data_sets(), standardize=st.booleans())
def test_yeo_johnson_before_a_model_answers_alike(data: Data, standardize: bool) -> None:
    bent = make_pipeline(StandardScaler(), PowerTransformer(standardize=standardize), Ridge())

    Compared(fit(bent, data.table, data.values)).check(data)


@few(4)
@given(data=data_sets())
def test_box_cox_before_a_model_answers_alike(data: Data) -> None:
    bent = make_pipeline(MinMaxScaler((1, 2), clip=True), PowerTransformer("box-cox"), Ridge())

    Compared(fit(bent, data.table, data.values)).check(data)


@pytest.mark.parametrize("out", ("uniform", "normal"))
@few(6)
@given(data=data_sets(), count=st.integers(5, 30))
def test_quantiles_before_a_model_answer_alike(data: Data, out: str, count: int) -> None:
    bent = make_pipeline(QuantileTransformer(n_quantiles=count, output_distribution=out), Ridge())

    Compared(fit(bent, data.table, data.values)).check(data)


@few(6)
@given(data=data_sets(), by_class=st.booleans())
def test_target_encoder_with_unknown_and_missing_words_answers_alike(data: Data, by_class: bool) -> None:
    random = np.random.default_rng(data.seed)
    words = np.array(["red", "green", "blue", None], dtype=object)[random.integers(0, 4, len(data.table))]
    frame = pd.DataFrame({"word": words, "count": random.integers(0, 3, len(words)).astype(float)})
    target = data.labels if by_class else data.values
    encoder = TargetEncoder(target_type="auto", cv=2)
    model = make_pipeline(encoder, Ridge())
    fitted = fit(encoder, frame, target)
    model.steps[0] = ("targetencoder", fitted)
    model.steps[1] = ("ridge", fit(Ridge(), fitted.transform(frame), data.values))
    compared = Compared(model)

    for row in [["red", 1.0], ["blue", 2.0], ["violet", 1.0], [None, 0.0], ["green", 9.0], ["red", None]]:
        compared.check_row(row, scale=1.0)
