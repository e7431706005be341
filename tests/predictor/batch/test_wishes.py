"""What a job may choose: the contract's entries come through, anything else is refused with a sentence."""

import pytest

from predictor.batch.wishes import Band, Wishes
from predictor.errors import BadRequest


def test_wishes_of_a_job_without_any_are_the_defaults():
    assert Wishes.from_job({"batch": "…", "user": "7"}) == Wishes()


def test_wishes_of_a_job_with_nulls_everywhere_are_the_defaults():
    empty = {name: None for name in ("reading", "columns", "bands", "give_up_share", "result", "file_name")}

    assert Wishes.from_job(empty) == Wishes()


def test_wishes_of_the_contract_come_through():
    wishes = Wishes.from_job(
        {
            "file_name": "customers.csv",
            "reading": {
                "encoding": "cp1252", "delimiter": "\t", "decimal": ",", "nulls": ["NA", " - ", "NA", ""],
                "sheet": "Sheet 1",
            },
            "columns": {"bmi": "BMI (kg/m²)"},
            "bands": [{"upper": 0.5, "label": "Good"}, {"upper": None, "label": "Bad", "tone": "bad"}],
            "give_up_share": 0.95,
            "result": "parquet",
        }
    )  # fmt: skip

    assert wishes == Wishes(
        encoding="cp1252",
        delimiter="\t",
        decimal=",",
        nulls=("NA", "-"),
        sheet="Sheet 1",
        columns={"bmi": "BMI (kg/m²)"},
        bands=(Band(0.5, "Good"), Band(None, "Bad")),
        give_up_share=0.95,
        result="parquet",
        file_name="customers.csv",
    )


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", ":", "^", "~"])
def test_wishes_delimiter_of_one_mark_is_taken(delimiter):
    assert Wishes.from_job({"reading": {"delimiter": delimiter}}).delimiter == delimiter


@pytest.mark.parametrize(
    ("job", "message"),
    [
        ({"reading": "utf-8"}, "reading must be an object"),
        ({"reading": {"encoding": "ebcdic"}}, "'ebcdic' is unknown. Choose one of utf-8, utf-16, cp1252."),
        ({"reading": {"encoding": ["utf-8"]}}, "is unknown"),
        ({"reading": {"decimal": ";"}}, "decimal mark ';' is unknown"),
        ({"reading": {"delimiter": '"'}}, "cannot be separated by"),
        ({"reading": {"delimiter": ""}}, "cannot be separated by"),
        ({"reading": {"delimiter": ",,"}}, "cannot be separated by"),
        ({"reading": {"delimiter": "\n"}}, "cannot be separated by"),
        ({"reading": {"delimiter": "a"}}, "cannot be separated by"),
        ({"reading": {"delimiter": "§"}}, "cannot be separated by"),
        ({"reading": {"delimiter": "."}}, "cannot be separated by"),
        ({"reading": {"nulls": "NA"}}, "words for a missing value"),
        ({"reading": {"nulls": [1]}}, "words for a missing value"),
        ({"reading": {"nulls": ["x" * 101]}}, "words for a missing value"),
        ({"reading": {"nulls": ["x"] * 101}}, "words for a missing value"),
        ({"reading": {"sheet": 1}}, "sheet must be a text"),
        ({"columns": ["a"]}, "columns must be an object"),
        ({"columns": {"a": 1}}, "columns must be an object"),
        ({"bands": {"upper": None}}, "bands must be a list"),
        ({"bands": [0.5]}, "bands must be a list"),
        ({"bands": [{"upper": 0.5, "label": "a"}]}, "bands must ascend"),
        ({"bands": [{"upper": None, "label": "a"}, {"upper": None, "label": "b"}]}, "bands must ascend"),
        ({"bands": [{"upper": 2, "label": "a"}, {"upper": 1, "label": "b"}, {"upper": None, "label": "c"}]}, "ascend"),
        ({"bands": [{"upper": True, "label": "a"}, {"upper": None, "label": "b"}]}, "bands must ascend"),
        ({"bands": [{"upper": None, "label": " "}]}, "needs a label"),
        ({"bands": [{"upper": None, "label": 5}]}, "needs a label"),
        ({"give_up_share": 0}, "share of bad rows"),
        ({"give_up_share": 1.1}, "share of bad rows"),
        ({"give_up_share": True}, "share of bad rows"),
        ({"give_up_share": "0.5"}, "share of bad rows"),
        ({"result": "xlsx"}, "result 'xlsx' is unknown"),
        ({"file_name": 3}, "file's name must be a text"),
    ],
)
def test_wishes_that_the_contract_does_not_know_are_refused(job, message):
    with pytest.raises(BadRequest, match=message.replace("(", r"\(")):
        Wishes.from_job(job)
