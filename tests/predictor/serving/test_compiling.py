"""A mounted model as tables: what is compiled at the start, what answers whom, and what is said about it."""

import asyncio
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.linear_model import LogisticRegression

from predictor import model_store
from predictor.description import describe
from predictor.serving import compiling, models
from predictor.serving.columns import predict_columns
from predictor.serving.pace import NeedsThread
from tests.predictor.serving.slow_models import Sleeper


@pytest.fixture
def open_model(monkeypatch, tmp_path):
    """Mounts a model as `serve` does at its start; the model that then answers."""
    import joblib

    def open_one(estimator):
        monkeypatch.setattr(model_store, "store", model_store.ModelStore())
        joblib.dump(estimator, tmp_path / "model.joblib")
        monkeypatch.setenv("PORTICO_MODEL_FILE", str(tmp_path / "model.joblib"))
        models.open_model()
        return model_store.store.find()

    return open_one


@pytest.fixture
def forest():
    rng = np.random.default_rng(3)
    table = rng.normal(size=(200, 3))
    return RandomForestClassifier(10, random_state=0).fit(table, table.sum(axis=1) > 0)


@pytest.fixture
def table():
    return np.random.default_rng(4).normal(size=(20, 3))


class Refusing:
    """An engine that must not be asked."""

    is_thread_safe = True

    def __getattr__(self, name):
        raise AssertionError(f"scikit-learn was asked: {name}")


def _without_engine(model, monkeypatch):
    from predictor.full_models import Full

    monkeypatch.setitem(model.__dict__, "_loaded", Full(engine=Refusing(), classes=None))
    return model


def test_single_row_of_a_compiled_model_is_answered_by_its_tables(open_model, forest, table, monkeypatch):
    model = _without_engine(open_model(forest), monkeypatch)

    answers = predict_columns(model, [[value] for value in table[0].tolist()])

    assert answers.probabilities == forest.predict_proba(table[:1]).tolist()


def test_few_rows_of_a_compiled_model_are_answered_by_its_tables(open_model, forest, table, monkeypatch):
    model = _without_engine(open_model(forest), monkeypatch)
    model.manifest["trials"]["single"]["milliseconds"] = 4.0
    model.manifest["compiled"]["milliseconds"] = 0.2

    answers = predict_columns(model, table.T.tolist())

    assert answers.probabilities == forest.predict_proba(table).tolist()
    assert answers.labels == forest.predict(table).tolist()


def test_more_rows_than_scikit_learn_takes_time_for_one_are_its_own(open_model, forest, table, monkeypatch):
    model = _without_engine(open_model(forest), monkeypatch)
    model.manifest["trials"]["single"]["milliseconds"] = 4.0
    model.manifest["compiled"]["milliseconds"] = 0.25

    with pytest.raises(Exception, match="scikit-learn was asked: predict_table"):
        predict_columns(model, table.T.tolist())


def test_rows_that_tables_hand_over_are_scikit_learns(open_model, forest, table):
    model = open_model(forest)
    columns = table[:3].T.tolist()
    columns[0][1] = 1e39

    with pytest.raises(Exception, match="too large for dtype"):
        predict_columns(model, columns)


def test_row_that_is_handed_over_leaves_the_event_loop_where_scikit_learn_is_slow(open_model, forest, monkeypatch):
    monkeypatch.setattr(models, "QUICK_S", 0.0)
    model = open_model(forest)
    columns = [[1e39], [0.0], [0.0]]

    async def ask_on_the_loop():
        with pytest.raises(NeedsThread):
            predict_columns(model, columns)
        return predict_columns(model, [[0.0], [0.0], [0.0]])

    assert asyncio.run(ask_on_the_loop()).labels is not None
    with ThreadPoolExecutor(1) as threads, pytest.raises(Exception, match="too large for dtype"):
        threads.submit(predict_columns, model, columns).result()


@pytest.mark.parametrize(
    ("estimator", "reason"),
    [
        (GaussianProcessRegressor().fit([[0.0], [1.0]], [0.0, 1.0]), "GaussianProcessRegressor"),
        (Sleeper().fit(None, None), "Sleeper"),
    ],
)
def test_model_that_cannot_be_written_is_served_in_full_and_not_tried(open_model, capsys, estimator, reason):
    model = open_model(estimator)

    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert model.tables is None
    assert said["event"] == "not compiled"
    assert reason in said["reason"]
    assert model.engine.predict([[0.0]]).values == [pytest.approx(0.0)]


def test_compiled_model_is_told_with_the_rows_that_were_compared(open_model, capsys, forest):
    model = open_model(forest)

    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (said["event"], said["model"], said["largest_difference"]) == ("compiled", model.tag(), 0.0)
    assert said["rows"] > 100


def test_comparison_that_takes_too_long_is_ended_and_said():
    began = time.monotonic()

    told = compiling._in_child(lambda: time.sleep(600) or {}, seconds=0.2)

    assert told["reason"] == "comparing its tables takes more than 0.2 s"
    assert time.monotonic() - began < 60


def test_comparison_whose_process_dies_leaves_the_model_in_full():
    assert compiling._in_child(lambda: os._exit(3), seconds=60)["reason"] == "writing its tables failed"


def test_tables_that_answer_otherwise_are_not_used(monkeypatch):
    model = LogisticRegression().fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1])
    description = describe(model)
    monkeypatch.setattr("predictor.compiled.parity.Walker.answer", lambda self, row: _wrong())

    tables = compiling.compile_described(description, seconds=60)

    assert tables.walker is None
    assert tables.report["reason"] == "its tables answer otherwise than scikit-learn does"


def _wrong():
    return {"label": 0, "value": None, "probabilities": [0.25, 0.75], "scores": None}


def test_server_says_at_its_start_what_it_compiled(serve):
    server = serve("penguins", PORTICO_SERVE_COMPILE_SECONDS="60")

    _, written = server.stop()

    assert json.loads(written.splitlines()[0])["event"] == "compiled"
