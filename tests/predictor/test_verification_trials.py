"""What trying a model finds out: times, gaps, golden rows, flags, and models that are refused for their answers."""

import time
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, scale

from predictor import description as describing
from predictor import trials as trying
from predictor.description import describe
from predictor.errors import Rejected
from predictor.trials import try_out
from tests.predictor.examining import examine, refusal
from tests.predictor.factories import array_model, penguin_model, penguins


class Answering:
    """A model whose predict() is given, of numbers unless `kind` says otherwise."""

    n_features_in_ = 2

    def __init__(self, predict: Any) -> None:
        self._predict = predict

    def predict(self, table: Any) -> Any:
        return self._predict(np.asarray(table))


def tried(predict: Any, **options: Any) -> Any:
    return try_out(describe(Answering(predict)), **options)


def codes(found: Any) -> list[str]:
    return [flag["code"] for flag in found.flags]


def why(predict: Any) -> str:
    with pytest.raises(Rejected) as caught:
        tried(predict)
    return caught.value.message


# ------------------------------------------------------------ trials


def test_trials_measure_one_row_and_a_thousand():
    trials = examine(array_model())["trials"]

    assert trials["single"]["milliseconds"] > 0
    assert trials["thousand"]["rows"] == 1000
    assert trials["unknown_category"] is None


def test_trials_of_a_wide_model_ask_fewer_rows_at_once():
    found = try_out(describe(LinearRegression().fit(np.eye(4000)[:3], [1, 2, 3])))

    assert found.trials["thousand"]["rows"] == 250
    assert len(found.golden) == 5


def test_trials_missing_values_say_which_are_needed():
    table = penguins(missing=True)
    columns = ["body_mass_g", "sex"]
    encoder = ColumnTransformer([("sex", OneHotEncoder(), ["sex"])], remainder="passthrough")
    model = make_pipeline(encoder, HistGradientBoostingClassifier(max_iter=3))
    encoder.set_params(sparse_threshold=0)

    missing = examine(model.fit(table[columns].dropna(), table.dropna(subset=columns)["species"]))["trials"]["missing"]

    assert missing == {"answered": True, "said": "A value is needed for sex."}


def test_trials_missing_values_refused_in_the_models_words():
    missing = examine(array_model())["trials"]["missing"]

    assert missing["answered"] is False
    assert "contains NaN" in missing["said"]


def test_trials_missing_values_all_accepted_say_nothing():
    model = array_model(estimator=HistGradientBoostingClassifier(max_iter=2))

    assert examine(model)["trials"]["missing"] == {"answered": True, "said": ""}


@pytest.mark.parametrize(("handling", "answered"), [("ignore", True), ("error", False)])
def test_trials_unknown_category_answered_as_the_encoder_does(handling, answered):
    table = penguins()
    model = make_pipeline(OneHotEncoder(handle_unknown=handling), LogisticRegression())

    unknown = examine(model.fit(table[["sex"]], table["species"]))["trials"]["unknown_category"]

    assert unknown["answered"] is answered
    assert ("unknown categories" in unknown["said"]) is not answered


# ------------------------------------------------------------ golden rows


def test_golden_rows_are_the_same_at_each_check():
    assert examine(penguin_model(missing=True))["golden"] == examine(penguin_model(missing=True))["golden"]


def test_golden_rows_begin_with_real_ones_that_fit():
    real = [
        {"bill_length_mm": "41.5", "body_mass_g": 4000, "sex": "male", "species": "Adelie"},
        {"bill_length_mm": "long", "body_mass_g": 4000, "sex": "male"},
        {"bill_length_mm": 50, "body_mass_g": 5000, "sex": "female"},
    ]

    golden = examine(penguin_model(), rows=real)["golden"]

    assert golden[0]["row"] == {"bill_length_mm": 41.5, "body_mass_g": 4000.0, "sex": "male"}
    assert golden[1]["row"] == {"bill_length_mm": 50.0, "body_mass_g": 5000.0, "sex": "female"}
    assert len(golden) == 20


def test_golden_rows_of_the_event_reach_the_manifest():
    from predictor.handler import verify
    from tests.predictor.factories import context_of, dump, upload

    event = {**upload(dump(array_model())), "rows": [{"x0": 7, "x1": 8, "x2": 9}]}

    answer = verify(event, context_of("v"))

    assert answer["manifest"]["golden"][0]["row"] == {"x0": 7.0, "x1": 8.0, "x2": 9.0}


def test_golden_rows_include_gaps_where_they_are_accepted():
    rows = [entry["row"] for entry in examine(penguin_model(missing=True))["golden"]]

    assert list(rows[-1].values()) == [None, None, None]
    assert [rows[-2]["bill_length_mm"], sum(value is None for value in rows[-2].values())] == [None, 1]


def test_golden_rows_vary_around_what_the_scaler_saw():
    lengths = [entry["row"]["bill_length_mm"] for entry in examine(penguin_model())["golden"]]

    assert 30 < min(lengths) < 40
    assert 48 < max(lengths) < 60


def test_golden_rows_of_texts_use_words_that_the_vectorizer_knows():
    model = make_pipeline(CountVectorizer(), LogisticRegression()).fit(["good film", "bad play"] * 5, [1, 0] * 5)

    golden = examine(model)["golden"]

    words = {word for entry in golden[1:] for word in entry["row"]["text"].split()}
    assert words == {"good", "film", "bad", "play"}


def test_golden_rows_leave_out_those_without_a_finite_answer():
    found = tried(lambda table: np.where(table[:, 0] < 0, np.nan, 1.0))

    assert 0 < len(found.golden) < 20
    assert "not_finite" in codes(found)


def test_golden_rows_outside_of_the_models_domain_are_left_out():
    def roots(table):
        if (table < 0).any():
            raise ValueError("negative")
        return np.sqrt(table).sum(axis=1)

    found = tried(roots)

    assert all(min(entry["row"].values()) >= 0 for entry in found.golden)
    assert found.trials["thousand"]["rows"] == 1000


# ------------------------------------------------------------ flags


def test_random_answers_are_flagged_and_kept_out_of_the_golden_rows():
    found = tried(lambda table: np.random.default_rng().normal(size=len(table)))

    assert codes(found) == ["not_repeatable"]
    assert found.golden == []


@pytest.mark.parametrize("at", [100, 1000])
def test_model_that_changes_by_being_asked_is_flagged(at):
    state = [0.0]

    def learn(table):
        answers = table[:, 0] + state[0]
        state[0] += len(table) == at
        return answers

    found = tried(learn)

    assert codes(found) == ["changes_itself"]
    assert found.golden == []


def test_slow_model_is_flagged_with_its_time(monkeypatch):
    monkeypatch.setattr(trying, "_SINGLE_SLOW_S", 0.01)
    monkeypatch.setattr(trying, "_THOUSAND_SLOW_S", 0.01)

    def slowly(table):
        time.sleep(0.02)
        return table[:, 0]

    assert codes(tried(slowly)) == ["slow", "slow"]


def test_model_too_slow_for_a_thousand_rows_is_measured_with_fewer(monkeypatch):
    monkeypatch.setattr(trying, "_THOUSAND_S", 0.05)

    def slowly(table):
        time.sleep(0.002 * len(table))
        return table[:, 0]

    found = tried(slowly)

    assert found.trials["thousand"]["rows"] == 10
    assert found.trials["thousand"]["milliseconds"] >= 20


def test_single_row_beyond_the_gateways_patience_refused(monkeypatch):
    monkeypatch.setattr(describing, "SINGLE_REFUSED_S", 0.01)

    def slowly(table):
        time.sleep(0.02)
        return table[:, 0]

    assert "The public API gives up after 29" in why(slowly)


def test_last_digits_that_others_move_are_flagged_and_kept_out_of_the_golden_rows():
    found = tried(lambda table: table[:, 0] + 10.0 + 1e-8 * len(table))

    assert codes(found) == ["last_digits"]
    assert found.golden == []


# ------------------------------------------------------------ refused answers


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_answers_that_are_never_finite_refused(number):
    assert "no finite number for any trial row" in why(lambda table: np.full(len(table), number))


def test_answers_that_other_rows_change_refused():
    model = make_pipeline(FunctionTransformer(scale), LinearRegression())
    model.fit(np.random.default_rng(0).normal(size=(50, 2)), np.arange(50.0))

    assert "answers a row differently alone and among other rows" in refusal(model)


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        (lambda table: np.full(len(table), 1j), "with a complex, which JSON cannot write"),
        (lambda table: [{}] * len(table), "with a dict, which JSON cannot write"),
        (lambda table: np.full(len(table), np.datetime64("2020-01-01")), "JSON cannot write"),
        (lambda table: [None] * len(table), "with a NoneType, which JSON cannot write"),
        (lambda table: [1.0, 2.0], "gave 2 answers for one row"),
        (lambda table: 1.0, "no list of answers"),
        (lambda table: [1.0] * min(len(table), 5), "gave 5 answers for 10 rows"),
        (lambda table: np.ones((len(table), 2)), "predicts 2 outputs at once"),
        (lambda table: 1 / 0, "fails on a typical row: division by zero"),
    ],
)
def test_answers_of_the_wrong_shape_refused(answers, words):
    assert words in why(answers)


def test_classes_that_json_cannot_write_refused():
    dates = pd.to_datetime(["2020-01-01", "2021-01-01"] * 5).to_numpy()
    model = array_model()
    model.classes_ = dates[:2]

    assert "JSON cannot write" in refusal(model)


def test_model_that_fails_on_many_rows_only_refused_in_its_words():
    def alone(table):
        if len(table) > 1:
            raise ValueError("one at a time")
        return table[:, 0]

    assert "not 10 at once, as a file needs it" in why(alone)


# ------------------------------------------------------------ warnings


def test_warnings_of_trial_predictions_are_told_once_and_no_deprecations():
    def warning(table):
        warnings.warn("overflow in exp\nmore", RuntimeWarning, stacklevel=1)
        warnings.warn("gone in 2.0", FutureWarning, stacklevel=1)
        return table[:, 0]

    assert tried(warning).warnings == ["Predicting warned: overflow in exp"]


def test_warnings_are_at_most_five():
    count = iter(range(10**6))

    def warning(table):
        warnings.warn(f"warning {next(count)}", UserWarning, stacklevel=1)
        return table[:, 0]

    assert len(tried(warning).warnings) == 5


# ------------------------------------------------------------ descriptions of difficult objects


def test_attributes_that_raise_do_not_stop_the_description():
    class Raising(Answering):
        def __repr__(self):
            raise RuntimeError("no repr")

        def __getattr__(self, name):
            raise RuntimeError(f"no {name}")

    description = describe(Raising(lambda table: table[:, 0]))

    assert description.estimator == "Raising"


def test_error_whose_words_raise_is_named_by_its_type():
    class Mute(Exception):
        def __str__(self):
            raise RuntimeError

    def fail(table):
        raise Mute

    assert "fails on a typical row: Mute" in why(fail)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["a" * 201, "b"], "more than 200 characters"),
        (["a", "a"], "same name"),
        (["a"] * 10_001, "takes 10,001 features"),
    ],
)
def test_feature_names_that_no_form_could_show_refused(names, words):
    model = Answering(lambda table: table[:, 0])
    model.feature_names_in_ = names

    with pytest.raises(Rejected, match=words):
        describe(model)


def test_missing_values_of_many_features_take_one_prediction():
    calls = []

    def count(table):
        calls.append(len(table))
        return np.nan_to_num(table).sum(axis=1)

    model = Answering(count)
    model.n_features_in_ = 300

    features = describe(model).features

    assert all(feature.accepts_missing for feature in features)
    assert calls == [1, 1, 300]
