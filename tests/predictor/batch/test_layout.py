"""What is found out about a file's dialect and columns, and what a person may say instead."""

import pytest

from predictor.batch.layout import columns_of, read_layout
from predictor.batch.matching import match_columns
from predictor.batch.wishes import Band, Wishes
from predictor.errors import BatchRefused
from predictor.features import Feature, Output
from predictor.reading import Reading
from tests.predictor.batch.running import HEADER, assert_equals_scikit_learn, penguin_csv, run_batch
from tests.predictor.factories import BatchRun, regression_model
from tests.predictor.factories import publish as publish_model

NUMBERS = [Feature(name="a"), Feature(name="b")]
BANDS = (Band(0.5, "low"), Band(None, "high"))


def _layout(sample: bytes, *, features=NUMBERS, reading: Reading | None = None, **wishes: object):
    return read_layout(
        sample, features=features, wanted=[("error", "error")], wishes=Wishes(**wishes), reading=reading or Reading()
    )


@pytest.mark.parametrize(
    ("sample", "delimiter"),
    [
        (b"a,b\n1,2\n", ","),
        (b"a;b\n1,5;2\n", ";"),
        (b"a\tb\n1\t2\n", "\t"),
        (b"a|b\n1|2\n", "|"),
        (b"sep=;\na;b\n1;2\n", ";"),
        (b'\xef\xbb\xbf"sep=|"\r\na|b\r\n1|2\r\n', "|"),
        (b"sep=,\na,b,c;d;e\n1,2,3\n", ","),
        (b"a,b,x;y;z;w\n1,2,3\n3,4,5\n", ","),
    ],
)
def test_layout_delimiter_is_found(sample, delimiter):
    assert _layout(sample).delimiter == delimiter


def test_layout_of_names_that_nobody_knows_goes_by_what_the_rows_agree_on():
    with pytest.raises(BatchRefused, match="it holds 'one', ' two, three, four, five', 'six'"):
        _layout(b"one; two, three, four, five;six\n1;2;3\n1;2;3\n")


@pytest.mark.parametrize(
    ("sample", "decimal"),
    [
        (b"a;b\n1,5;2\n", ","),
        (b"a;b\n1,500;2\n", ","),
        (b"a;b\n1.5;2\n", "."),
        (b"a\tb\n1,5\t2\n", ","),
        (b"a\tb\n1,500\t2\n", "."),
        (b'a,b\n"1,5",2\n', "."),
    ],
)
def test_layout_decimal_mark_is_found(sample, decimal):
    assert _layout(sample).decimal == decimal


def test_layout_of_a_table_is_that_which_we_wrote():
    layout = _layout(b'"a;b;c",a,b\n"1;2,5;3",1,2\n', reading=Reading(format="parquet"), delimiter=";")

    assert layout.delimiter == ","
    assert layout.columns == ["a;b;c", "a", "b"]


def test_layout_wishes_override_what_would_be_found():
    layout = _layout(b'a:b\n"1,5":-\n', delimiter=":", decimal=",", nulls=("-",))

    assert (layout.delimiter, layout.decimal, layout.nulls) == (":", ",", ["-"])


def test_layout_nulls_are_the_usual_ones_where_nobody_chose():
    layout = _layout(b"a,b\n")

    assert {"NA", "null", "?"} <= set(layout.nulls)
    assert "" not in layout.nulls


def test_layout_decimal_comma_between_commas_is_read_and_not_written():
    layout = _layout(b'a,b\n"1,5",2\n', decimal=",")

    assert (layout.decimal, layout.written_decimal) == (",", ".")
    assert layout.notes == ["Numbers were read with a decimal comma."]


def test_layout_columns_can_be_chosen():
    layout = _layout(b"a,x,b\n1,2,3\n", columns={"a": "x", "b": "b"})

    assert layout.positions == [1, 2]
    assert layout.notes == []


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"a": "x"}, "The file has no column 'x', which was chosen. Choose another one."),
        ({"z": "a"}, "The model has no feature 'z' for which a column could be chosen."),
        ({"a": "d"}, "The file has more than one column called 'd'. Keep one of each."),
        ({"a": "A"}, "The file has no column 'A', which was chosen."),
    ],
)
def test_layout_chosen_column_that_cannot_be_refused(columns, message):
    with pytest.raises(BatchRefused) as refused:
        _layout(b"a,b,d,d\n", columns=columns)

    assert str(refused.value).startswith(message)


def test_match_names_near_columns_the_nearest_first():
    features = [Feature(name="bmi"), Feature(name="blood_pressure"), Feature(name="age")]

    found = match_columns(["Blood Pressure", "blood_presure_2", "BMI (kg/m²)", "age", "zzz"], features, {})

    assert found.near == {"bmi": ["BMI (kg/m²)"], "blood_pressure": ["Blood Pressure", "blood_presure_2"]}
    assert found.positions == [None, None, 3]
    assert found.refusals == [
        "The file lacks the columns 'bmi', 'blood_pressure'. Did you mean 'BMI (kg/m²)' for 'bmi', "
        "'Blood Pressure' for 'blood_pressure'?"
    ]


def test_match_of_thousands_of_names_takes_no_minutes():
    features = [Feature(name=f"feature {n}") for n in range(3000)]

    found = match_columns([f"column {n}" for n in range(3000)], features, {})

    assert "and 2990 more" in found.refusals[0]


@pytest.mark.parametrize(
    ("output", "has_band"),
    [
        (Output("binary", (0, 1), probabilities=True), True),
        (Output("multiclass", ("a", "b", "c"), probabilities=True), True),
        (Output("binary", (0, 1)), False),
        (Output("regression"), True),
        (Output("labels"), False),
    ],
)
def test_columns_band_stands_before_the_error_where_there_is_a_number(output, has_band):
    contents = [contents for _, contents in columns_of(output, bands=BANDS)]

    assert contents[-2:] == (["band", "error"] if has_band else [contents[-2], "error"])
    assert ("band" in contents) is has_band
    assert "band" not in [contents for _, contents in columns_of(output)]


def test_batch_with_bands_says_which_one(model):
    publish_model(regression_model(), slug="line")
    batch = BatchRun(b"a,b\n1,0\n-5,0\n", slug="line")
    batch.job["bands"] = [{"upper": 5, "label": "low"}, {"upper": None, "label": "high"}]

    summary = batch.run()

    assert summary["added"] == ["prediction", "band", "error"]
    assert batch.table()["band"].tolist() == ["high", "low"]


def test_batch_after_excels_separator_line_is_scored_and_keeps_it(model):
    batch = run_batch(b"sep=;\n" + penguin_csv(sep=";"))

    assert batch.output().startswith(b"sep=;\nbill_length_mm;")
    assert_equals_scikit_learn(batch, model, sep=";", skiprows=1)


def test_batch_columns_and_nulls_that_were_chosen_are_used(model):
    batch = BatchRun(HEADER.replace(b"sex", b"gender") + b"41,4000,male\n41,missing,male\n")
    batch.job["columns"] = {"sex": "gender"}
    batch.job["reading"] = {"nulls": ["missing"]}

    batch.run()

    assert batch.table(keep_default_na=False)["error"].tolist() == ["", "body_mass_g: a value is needed"]


def test_batch_decimal_comma_between_commas_is_scored(model):
    lines = [b'"' + line.replace(b".", b",").replace(b";", b'","') + b'"' for line in penguin_csv(sep=";").splitlines()]
    batch = BatchRun(b"\n".join(lines) + b"\n")
    batch.job["reading"] = {"decimal": ","}

    batch.run()

    assert_equals_scikit_learn(batch, model)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_plan_encoding_that_was_chosen_and_is_not_that_of_the_file_refused(model, encoding):
    batch = BatchRun(penguin_csv() + "41,4000,male,café\n".encode("latin-1"))
    batch.job["reading"] = {"encoding": encoding}

    with pytest.raises(BatchRefused, match="(not UTF-8, which was chosen for it|not the UTF-16)"):
        batch.step("plan")
