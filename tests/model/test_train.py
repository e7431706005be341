"""The files that `python -m model.train` writes, and the models in them."""

import struct

import numpy as np
import pandas as pd
import pytest

from model.quality import measure_quality, split_rows
from model.samples import SAMPLES
from model.train import main
from tests.model.conftest import load_model

FLOORS = {
    "four-variables": {"accuracy": 0.74, "auc": 0.84},
    "breast-cancer": {"accuracy": 0.95, "auc": 0.98},
    "penguins": {"accuracy": 0.96, "auc": 0.99},
    "diabetes": {"r2": 0.38},
}


def table_of(written, rows):
    names = [field.name for field in written.sample.fields]
    table = pd.DataFrame(rows, columns=names)
    numbers = [field.name for field in written.sample.fields if field.name not in ("island", "sex")]
    if written.sample.slug == "diabetes":
        numbers.append("sex")
    return table.astype(dict.fromkeys(numbers, float)).replace({None: np.nan})


def test_folder_after_training_holds_every_file_of_the_contract(written):
    expected = {"settings.json", "training.csv", "to_score.csv", "pictures/1.png", "pictures/2.png"}

    found = {str(path.relative_to(written.folder)) for path in written.folder.rglob("*") if path.is_file()}

    assert found == expected | {written.sample.file_name}


def test_settings_features_match_the_fitted_model_in_name_and_order(written):
    fitted = list(written.estimator.feature_names_in_)

    described = [feature["name"] for feature in written.settings["features"]]

    assert described == fitted


def test_settings_classes_match_the_fitted_model_in_order(written):
    fitted = getattr(written.estimator, "classes_", None)

    described = written.settings["classes"]

    assert described is None if fitted is None else [pair[0] for pair in described] == [str(label) for label in fitted]


def test_examples_given_to_the_model_are_predicted(written):
    rows = [example["row"] for example in written.settings["examples"]]

    predicted = written.estimator.predict(table_of(written, rows))

    assert len(predicted) == len(rows) >= 3
    assert len(set(predicted)) > 1


def test_examples_have_names_of_their_own(written):
    names = [example["name"] for example in written.settings["examples"]]

    distinct = set(names)

    assert len(distinct) == len(names)


def test_examples_lie_within_the_ranges_of_the_form(written):
    features = {feature["name"]: feature for feature in written.settings["features"]}
    cells = [cell for example in written.settings["examples"] for cell in example["row"].items()]

    misplaced = [(name, cell) for name, cell in cells if not is_accepted(features[name], cell)]

    assert misplaced == []


def is_accepted(feature, cell):
    if cell is None:
        return not feature["required"]
    if feature["kind"] == "choice":
        return cell in [value for value, _words in feature["choices"]]
    steps = (cell - feature["minimum"]) / feature["step"]
    return feature["minimum"] <= cell <= feature["maximum"] and abs(steps - round(steps)) < 1e-6


def test_defaults_are_accepted_by_their_own_field(written):
    refused = [f["name"] for f in written.settings["features"] if not is_accepted(f, f["default"])]

    assert refused == []


def test_feature_has_a_label_and_a_help_text(written):
    silent = [f["name"] for f in written.settings["features"] if not f["label"] or len(f["help"]) < 10]

    assert silent == []


def test_bands_ascend_and_end_open(written):
    uppers = [band["upper"] for band in written.settings["bands"]]

    assert uppers[-1] is None
    assert uppers[:-1] == sorted(set(uppers[:-1]))


def test_quality_on_held_out_rows_is_above_the_floor(written):
    quality = measure_quality(written.sample, written.estimator, split_rows(written.sample))

    below = {
        name: quality.figures[name]
        for name, floor in FLOORS[written.sample.slug].items()
        if quality.figures[name] < floor
    }

    assert below == {}
    assert quality.sentence in written.settings["notes"]


def test_to_score_shares_no_row_with_training(written):
    names = [field.name for field in written.sample.fields]
    to_score = pd.read_csv(written.folder / "to_score.csv")
    training = pd.read_csv(written.folder / "training.csv")

    everything = pd.concat([to_score[names], training[names]])

    features, _target = written.sample.load()
    assert 60 <= len(to_score) <= 200
    assert len(everything) == len(features)
    assert to_score[written.sample.id_column].is_unique


def test_to_score_of_penguins_has_missing_cells_the_model_accepts(samples_folder):
    to_score = pd.read_csv(samples_folder / "penguins" / "to_score.csv")

    missing = to_score.isna().sum()

    assert missing["sex"] >= 2
    assert missing["body_mass_g"] >= 1


def test_breast_cancer_last_class_is_malignant(samples_folder):
    estimator = load_model(samples_folder / "breast-cancer" / "model.joblib")

    last = estimator.classes_[-1]

    assert last == "malignant"


def test_pictures_are_720_by_540_at_twice_the_density(written):
    heads = [(written.folder / picture["file"]).read_bytes()[16:24] for picture in written.settings["pictures"]]

    sizes = [struct.unpack(">II", head) for head in heads]

    assert sizes == [(1440, 1080)] * 2


def test_pictures_say_their_numbers_in_words(written):
    texts = [picture["alt"] for picture in written.settings["pictures"]]

    wordless = [text for text in texts if sum(character.isdigit() for character in text) < 6]

    assert wordless == []


@pytest.mark.parametrize("slug", [sample.slug for sample in SAMPLES])
def test_training_twice_gives_the_same_bytes(slug, samples_folder, tmp_path):
    main(["--out", str(tmp_path), "--only", slug])

    different = [
        path.name
        for path in (tmp_path / slug).rglob("*")
        if path.is_file() and path.read_bytes() != (samples_folder / path.relative_to(tmp_path)).read_bytes()
    ]

    assert different == []


def test_training_prints_one_line_a_sample(tmp_path, capsys):
    main(["--out", str(tmp_path), "--only", "four-variables"])

    lines = capsys.readouterr().out.splitlines()

    assert len(lines) == 1
    assert lines[0].startswith("four-variables: ")


def test_training_of_an_unknown_sample_is_refused(tmp_path):
    with pytest.raises(SystemExit) as refusal:
        main(["--out", str(tmp_path), "--only", "unknown"])

    assert refusal.value.code == 2
