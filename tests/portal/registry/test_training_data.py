"""What a CSV of training data tells about the features."""

import io
import json

import pytest

from portal.errors import BadInput
from portal.registry import training_data


def read(text: str, encoding: str = "utf-8") -> training_data.TrainingData:
    return training_data.read(io.BytesIO(text.encode(encoding)))


def test_training_data_numbers_give_range_median_and_wholeness():
    column = read("age\n10\n20\n60\n").columns["age"]

    assert (column.minimum, column.maximum, column.median, column.is_integer) == (10, 60, 20, True)


def test_training_data_texts_are_choices_the_most_frequent_first():
    column = read("island\nDream\nBiscoe\nBiscoe\n").columns["island"]

    assert column.is_choice and column.values == ("Biscoe", "Dream")


@pytest.mark.parametrize("missing", ["", "NA", "nan", "?"])
def test_training_data_missing_cells_do_not_make_a_number_text(missing: str):
    column = read(f"age,name\n10,a\n{missing},b\n").columns["age"]

    assert column.is_numeric and column.has_missing


@pytest.mark.parametrize("text", ["a;b\r\n1;2\r\n", "\ufeffa,b\n1,2\n", "a\tb\n1\t2\n"])
def test_training_data_of_other_dialects_is_read(text: str):
    assert list(read(text).columns) == ["a", "b"]


def test_training_data_in_latin_1_is_read():
    assert read("name\nAdélie\n", "latin-1").columns["name"].values == ("Adélie",)


@pytest.mark.parametrize("text", ["", "a,b\n"])
def test_training_data_without_rows_is_refused(text: str):
    with pytest.raises(BadInput) as refused:
        read(text)

    assert "training" in refused.value.fields


def test_training_data_with_more_than_a_few_texts_is_no_choice():
    cells = "\n".join(f"text {n}" for n in range(training_data.MAX_CHOICES + 1))

    assert not read(f"remark\n{cells}\n").columns["remark"].is_choice


def test_training_data_written_as_json_reads_back_the_same():
    given = read("age,island\n10,Dream\n,Biscoe\n20.5,Dream\n")

    kept = json.loads(json.dumps(given.to_json()))

    assert training_data.TrainingData.from_json(kept) == given


def test_training_data_sample_comes_from_all_over_the_file_and_is_bounded():
    given = read("n,name\n" + "".join(f"{n},\n" for n in range(2_000)))

    numbers = [int(row["n"]) for row in given.sample]
    assert 300 < len(numbers) <= training_data.SAMPLE_ROWS
    assert numbers[0] == 0 and numbers[-1] > 1_900
    assert given.sample[0] == {"n": "0", "name": None}


def test_training_data_of_many_columns_keeps_fewer_rows():
    header = ",".join(f"c{n}" for n in range(1_000))
    row = ",".join("1" for _ in range(1_000))

    given = read(f"{header}\n" + f"{row}\n" * 200)

    assert len(given.sample) == 50


def test_training_data_kept_by_an_earlier_release_has_no_sample():
    kept = read("age\n10\n").to_json()
    del kept["sample"]

    assert training_data.TrainingData.from_json(kept).sample == []
