"""Models of the image's extras, from file to answer: what comes out is what the library itself says, bit for bit.

CatBoost, which is too large for every `make test`, is asked the same in its container (tests/containers).
"""

import pytest

from tests.predictor.extras import KINDS, SHAPES, fit, own_answers, rows_of, table_of
from tests.predictor.factories import predict, publish

LIBRARIES = ["lightgbm", "xgboost"]


@pytest.fixture(autouse=True)
def library(request):
    """Skips where the library cannot be loaded, for want of the system's OpenMP for example."""
    name = request.getfixturevalue("name")
    try:
        __import__(name)
    except (ImportError, OSError) as problem:
        pytest.skip(f"{name} does not load here: {problem}")


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", LIBRARIES)
def test_predict_gives_the_librarys_own_answers(name, kind, shape):
    model = fit(name, kind, shape)
    manifest = publish(model, slug="m")

    answers = [predict(row, model="m")["prediction"] for row in rows_of(shape)]

    assert manifest["fitted_on"] == shape
    assert [feature["name"] for feature in manifest["features"]] == list(rows_of(shape)[0])
    assert answers == own_answers(model, table_of(shape), kind)


@pytest.mark.parametrize("name", LIBRARIES)
def test_predict_takes_missing_values_as_the_library_does(name):
    model = fit(name, "binary", "dataframe")
    manifest = publish(model, slug="m")
    table = table_of("dataframe")
    table.loc[:, "width"] = float("nan")

    answers = [predict({**row, "width": None}, model="m")["prediction"] for row in rows_of("dataframe")]

    assert all(feature["accepts_missing"] for feature in manifest["features"])
    assert answers == own_answers(model, table, "binary")


@pytest.mark.parametrize("name", LIBRARIES)
def test_predict_in_a_pipeline_gives_its_own_answers(name):
    model = fit(name, "multiclass", "dataframe", in_pipeline=True)
    manifest = publish(model, slug="m")

    answers = [predict(row, model="m")["prediction"] for row in rows_of("dataframe")]

    assert len(manifest["steps"]) == 2
    assert answers == own_answers(model, table_of("dataframe"), "multiclass")
