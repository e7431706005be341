"""What is told of a file before it is scored: all that could be found, and in one sentence why it cannot be used."""

import pytest

from predictor import bucket
from predictor.handler import handle
from tests.predictor.batch.running import FEATURES, HEADER, penguin_csv
from tests.predictor.factories import BatchRun, context_of, penguins
from tests.predictor.files import json_lines, parquet, sheet_of, xlsx, zstd


def _preview(content: bytes, **wishes: object) -> dict:
    batch = BatchRun(content)
    return handle({"operation": "batch.preview", "job": {**batch.job, **wishes}}, context_of("preview-1"))


def test_preview_of_a_good_file_tells_all_of_the_contract(model):
    content = penguin_csv()

    answer = _preview(content)

    lines = [line.split(",") for line in content.decode().splitlines()]
    assert answer == {
        "ok": True,
        "reading": {
            "format": "csv", "packing": None, "encoding": "utf-8", "delimiter": ",", "decimal": ".",
            "nulls": ["#N/A", ".", "?", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"],
            "sheet": None, "sheets": None,
        },
        "columns": [*FEATURES, "species"],
        "mapping": {name: name for name in FEATURES},
        "near": {},
        "rows": lines[1:21],
        "problems": [],
        "refusal": None,
        "notes": [],
        "size_bytes": len(content),
    }  # fmt: skip


def test_preview_tells_how_the_file_is_read(model):
    answer = _preview(zstd("Sex;bill_length_mm;body_mass_g\nmale;41,5;-\n".encode("utf-16")), reading={"nulls": ["-"]})

    assert answer["reading"] == {
        "format": "csv", "packing": "zstd", "encoding": "utf-16", "delimiter": ";", "decimal": ",", "nulls": ["-"],
        "sheet": None, "sheets": None,
    }  # fmt: skip
    assert answer["mapping"]["sex"] == "Sex"
    assert answer["problems"] == [{"row": 1, "feature": "body_mass_g", "message": "a value is needed"}]
    assert answer["notes"] == [
        "The file was unpacked from zstd.",
        "The file was read as UTF-16; the result is UTF-8.",
        "The column 'Sex' was taken for 'sex'.",
        "Numbers were read and written with a decimal comma.",
    ]


@pytest.mark.parametrize(
    ("content", "read_as"),
    [
        (json_lines(penguins(40, seed=5)), {"format": "jsonl", "delimiter": None}),
        (parquet(penguins(40, seed=5)), {"format": "parquet", "delimiter": None}),
        (xlsx({"A": sheet_of(penguins(40, seed=5)), "B": []}), {"format": "xlsx", "sheet": "A", "sheets": ["A", "B"]}),
    ],
    ids=["jsonl", "parquet", "xlsx"],
)
def test_preview_of_another_format_shows_its_rows(model, content, read_as):
    answer = _preview(content)

    assert read_as.items() <= answer["reading"].items()
    assert answer["rows"][0] == penguin_csv().decode().splitlines()[1].split(",")
    assert (answer["refusal"], answer["problems"], len(answer["rows"])) == (None, [], 20)


def test_preview_problems_are_those_of_the_first_rows(model):
    content = HEADER + b"41,4000,male\n\n41,abc,mael\n41\n" + b"x,1,male\n" * 500

    answer = _preview(content)

    assert answer["problems"][:4] == [
        {"row": 2, "feature": "body_mass_g", "message": "'abc' is not a number"},
        {"row": 2, "feature": "sex", "message": "'mael' is not one of the known choices (female, male)"},
        {"row": 3, "feature": None, "message": "the row has 1 cell, the header has 3"},
        {"row": 4, "feature": "bill_length_mm", "message": "'x' is not a number"},
    ]
    assert len(answer["problems"]) == 20
    assert answer["refusal"] is None


def test_preview_of_columns_that_are_missing_names_what_is_near(model):
    answer = _preview(b"Bill length (mm),body_mass_g,sex\n41,abc,male\n")

    assert answer["mapping"] == {"bill_length_mm": None, "body_mass_g": "body_mass_g", "sex": "sex"}
    assert answer["near"] == {"bill_length_mm": ["Bill length (mm)"]}
    assert answer["refusal"].startswith("The file lacks the column 'bill_length_mm'. Did you mean 'Bill length (mm)'")
    assert answer["rows"] == [["41", "abc", "male"]]
    assert answer["problems"] == [{"row": 1, "feature": "body_mass_g", "message": "'abc' is not a number"}]


def test_preview_with_the_column_chosen_is_content(model):
    answer = _preview(
        b"Bill length (mm),body_mass_g,sex\n41,4000,male\n", columns={"bill_length_mm": "Bill length (mm)"}
    )

    assert answer["mapping"]["bill_length_mm"] == "Bill length (mm)"
    assert answer["refusal"] is None


@pytest.mark.parametrize(
    ("content", "wishes", "refusal"),
    [
        (b"", {}, "The file is empty"),
        (b"%PDF-1.4", {}, "The file is a PDF"),
        (HEADER, {}, "The file has a header but no rows"),
        (b"PAR1rest", {}, "The Parquet file is damaged"),
        (penguin_csv() + b"\xff", {"reading": {"encoding": "utf-8"}}, "The file is not UTF-8"),
    ],
)
def test_preview_of_an_unusable_file_is_an_answer(model, content, wishes, refusal):
    answer = _preview(content, **wishes)

    assert answer["ok"]
    assert answer["refusal"].startswith(refusal)
    assert set(answer["mapping"]) == set(FEATURES)
    assert answer["size_bytes"] == len(content)


def test_preview_of_a_sheet_that_is_not_there_tells_which_are(model):
    answer = _preview(xlsx({"A": [["a"]], "B": [["b"]]}), reading={"sheet": "C"})

    assert answer["refusal"] == "The workbook has no sheet 'C'. It has 'A', 'B'."
    assert answer["reading"]["sheets"] == ["A", "B"]


def test_preview_of_a_file_over_the_limit_refused_at_once(model, monkeypatch):
    monkeypatch.setenv("PORTICO_BATCH_MAX_BYTES", "1000")

    answer = _preview(penguin_csv())

    assert answer["refusal"].endswith("is the most that is scored at once. Split it.")
    assert len(answer["rows"]) == 20


def test_preview_of_a_file_that_is_gone_says_so(model):
    batch = BatchRun(b"")
    bucket.client().delete_object(Bucket=bucket.name(), Key=batch.key("input.csv"))

    answer = handle({"operation": "batch.preview", "job": batch.job}, context_of("preview-1"))

    assert answer["refusal"] == "The file is no longer there. Upload it again."


def test_preview_of_a_large_file_reads_its_beginning_alone(model, monkeypatch):
    read = []
    stream = bucket.stream

    def counted(key, **where):
        for chunk in stream(key, **where):
            read.append(len(chunk))
            yield chunk

    monkeypatch.setattr(bucket, "stream", counted)
    content = penguin_csv() + b"41,4000,male,x\n" * 2_000_000

    answer = _preview(content)

    assert answer["refusal"] is None
    assert sum(read) < len(content) / 2


@pytest.mark.parametrize("wishes", [{"reading": {"encoding": "x"}}, {"batch": "../x"}, {"columns": [1]}])
def test_preview_of_a_job_that_is_none_is_a_bad_request(model, wishes):
    answer = _preview(penguin_csv(), **wishes)

    assert (answer["ok"], answer["error"]["code"]) == (False, "bad_request")
