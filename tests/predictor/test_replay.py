"""Golden rows answered once more, and several rows in one call: docs/contract.md §3."""

import pytest

from predictor.golden import find_moved, has_moved
from predictor.handler import handle
from tests.predictor.factories import (
    SPECIES,
    array_model,
    context_of,
    event,
    penguin_model,
    predict,
    publish,
    regression_model,
    write_manifest,
)

ROW = {"bill_length_mm": 39.1, "body_mass_g": 3750, "sex": "male"}
BEFORE = {"label": "a", "value": None, "probabilities": [0.25, 0.75], "scores": None}


def replay(slug="penguins"):
    return handle({"operation": "replay", "model": slug}, context_of("r"))


def answer_rows(rows, slug="penguins"):
    return handle({"operation": "answer_rows", "model": slug, "rows": rows}, context_of("r"))


@pytest.mark.parametrize(
    "change",
    [
        {"label": "b"},
        {"label": None},
        {"value": 1.0},
        {"probabilities": None},
        {"probabilities": [0.25]},
        {"probabilities": [0.25 + 1e-8, 0.75]},
        {"scores": 0.0},
    ],
)
def test_has_moved_another_label_or_number_or_shape_counts(change):
    assert has_moved(BEFORE, {**BEFORE, **change})


@pytest.mark.parametrize("change", [{}, {"probabilities": [0.25 + 1e-11, 0.75]}])
def test_has_moved_last_digits_do_not_count(change):
    assert not has_moved(BEFORE, {**BEFORE, **change})


@pytest.mark.parametrize(
    ("before", "now", "moved"),
    [
        (1e9, 1e9 + 0.5, False),
        (1e9, 1e9 + 2, True),
        (0.0, 9e-13, False),
        (0.0, 2e-12, True),
        (1e-20, -1e-20, False),
        (3, 3.0, False),
    ],
)
def test_has_moved_tolerance_goes_with_the_size_and_is_absolute_near_nought(before, now, moved):
    assert has_moved({"value": before}, {"value": now}) is moved


@pytest.mark.parametrize(
    ("before", "now", "moved"), [(1, 1.0, False), (1, True, True), ("1", 1, True), (0, False, True)]
)
def test_has_moved_labels_are_compared_as_json_has_them(before, now, moved):
    assert has_moved({"label": before}, {"label": now}) is moved


def test_has_moved_scores_one_a_class_are_compared_one_by_one():
    assert has_moved({"scores": [1.0, 2.0, 3.0]}, {"scores": [1.0, 2.0, 3.1]})


def test_find_moved_gives_the_row_and_both_answers():
    now = {**BEFORE, "label": "b"}

    moved = find_moved([{"row": {"x": 1}, "prediction": BEFORE}], [{"prediction": now}])

    assert moved == [{"row": {"x": 1}, "before": BEFORE, "now": now, "error": None}]


@pytest.mark.parametrize("make", [penguin_model, regression_model, lambda: array_model([False, True])])
def test_replay_of_an_unchanged_model_moves_nothing(make):
    manifest = publish(make())

    answer = replay()

    assert answer["ok"]
    assert answer["model"] == {"slug": "penguins", "version": 1, "sha256": manifest["sha256"]}
    assert answer["rows"] == len(manifest["golden"]) > 0
    assert answer["moved"] == []
    assert answer["milliseconds"] > 0


def test_replay_row_with_another_answer_than_then_moved():
    manifest = publish(penguin_model())
    first, *others = manifest["golden"]
    then = {**first["prediction"], "label": "Dodo"}
    write_manifest({**manifest, "golden": [{**first, "prediction": then}, *others]})

    answer = replay()

    assert answer["moved"] == [{"row": first["row"], "before": then, "now": first["prediction"], "error": None}]


def test_replay_row_that_is_refused_now_moved_with_the_reason():
    manifest = publish(penguin_model())
    unknown = {"row": {**ROW, "sex": "unknown"}, "prediction": manifest["golden"][0]["prediction"]}
    write_manifest({**manifest, "golden": [*manifest["golden"], unknown]})

    (moved,) = replay()["moved"]

    assert moved["now"] is None
    assert "'unknown' is not one of the known choices" in moved["error"]


def test_replay_with_other_classes_than_then_moves_every_row():
    manifest = publish(penguin_model())
    output = {**manifest["output"], "classes": ["Adelie", "Dodo", "Gentoo"]}
    write_manifest({**manifest, "output": output})

    moved = replay()["moved"]

    assert len(moved) == len(manifest["golden"])
    assert {entry["error"] for entry in moved} == {f"The model's classes are now {', '.join(SPECIES)}."}


def test_replay_of_a_manifest_without_golden_rows_has_none():
    manifest = publish(penguin_model())
    write_manifest({**manifest, "golden": []})

    answer = replay()

    assert (answer["rows"], answer["moved"]) == (0, [])


def test_answer_rows_are_those_of_predict_one_a_row():
    publish(penguin_model())
    rows = [{**ROW, "bill_length_mm": 35 + length} for length in range(8)]

    answer = answer_rows(rows)

    assert answer["output"] == {"type": "multiclass", "classes": SPECIES, "probabilities": True}
    for row, given in zip(rows, answer["answers"], strict=True):
        expected = predict(row)["prediction"]
        assert given["prediction"]["label"] == expected["label"]
        assert given["prediction"]["probabilities"] == pytest.approx(expected["probabilities"], rel=1e-12)


def test_answer_rows_bad_row_has_its_own_error_and_its_neighbours_their_answers():
    publish(penguin_model())

    answers = answer_rows([ROW, {**ROW, "bill_length_mm": "long"}, "no row", ROW])["answers"]

    assert [set(answer) for answer in answers] == [{"prediction"}, {"error"}, {"error"}, {"prediction"}]
    assert "'long' is not a number" in answers[1]["error"]
    assert answers[2]["error"].endswith(".")


def test_answer_rows_row_without_a_finite_answer_fails_alone():
    model = regression_model()
    publish(model)

    answers = answer_rows([{"a": 1, "b": 2}, {"a": 1e308, "b": -1e308}])["answers"]

    assert answers[0]["prediction"] == predict({"a": 1, "b": 2})["prediction"]
    assert "no finite number" in answers[1]["error"]


def test_answer_rows_row_on_which_the_model_raises_fails_alone(monkeypatch, store):
    publish(array_model(), slug="m")
    engine = store.get("m")[0].engine
    answer = engine.predict

    def predict_or_raise(columns):
        if 13.0 in columns[0]:
            raise RuntimeError("unlucky")
        return answer(columns)

    monkeypatch.setattr(engine, "predict", predict_or_raise)
    row = {"x0": 1, "x1": 2, "x2": 3}

    answers = answer_rows([row, {**row, "x0": 13}], slug="m")["answers"]

    assert set(answers[0]) == {"prediction"}
    assert answers[1] == {"error": "The model cannot answer for these values: unlucky."}


def test_answer_rows_none_asked_gives_none():
    publish(penguin_model())

    assert answer_rows([])["answers"] == []


@pytest.mark.parametrize("rows", [None, {}, "text", [ROW] * 101])
def test_answer_rows_that_are_no_list_or_too_many_refused(rows):
    publish(penguin_model())

    assert answer_rows(rows)["error"]["code"] == "bad_request"


@pytest.mark.parametrize("name", ["replay", "answer_rows"])
def test_stored_event_is_answered(name):
    publish(penguin_model())

    assert handle(event(name), context_of("r"))["ok"]
