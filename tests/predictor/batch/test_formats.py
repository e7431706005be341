"""A file in any format and packing is scored as the CSV of the same rows is, and says what was made of it."""

import gzip
import subprocess
import sys

import pytest

from predictor.errors import BatchRefused
from tests.predictor.batch.running import assert_equals_scikit_learn, penguin_csv
from tests.predictor.factories import BatchRun, penguins
from tests.predictor.files import json_lines, parquet, sheet_of, xlsx, zipped, zstd

TABLE = penguins(40, seed=5)
FORMATS = {
    "csv": penguin_csv(),
    "tsv": penguin_csv(sep="\t"),
    "jsonl": json_lines(TABLE),
    "utf16": penguin_csv().decode().encode("utf-16"),
}
PACKINGS = {"gzip": gzip.compress, "zstd": zstd, "zip": lambda content: zipped({"any name": content})}


def _run(content: bytes, **wishes: object) -> tuple[BatchRun, dict]:
    batch = BatchRun(content)
    batch.job.update(wishes)
    return batch, batch.run()


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("name", FORMATS)
def test_batch_of_any_text_in_any_packing_is_scored_alike(model, name, packing):
    batch, summary = _run(PACKINGS[packing](FORMATS[name]))

    assert_equals_scikit_learn(batch, model, sep="\t" if name == "tsv" else ",")
    assert summary["notes"][0] == f"The file was unpacked from {packing}."


@pytest.mark.parametrize(
    "content",
    [
        FORMATS["jsonl"],
        parquet(TABLE),
        parquet(TABLE, row_group_size=7, compression="snappy"),
        xlsx({"Penguins": sheet_of(TABLE)}),
    ],
    ids=["jsonl", "parquet", "parquet-groups", "xlsx"],
)
def test_batch_of_any_format_is_scored_alike_and_keeps_its_columns(model, content):
    batch, summary = _run(content)

    assert_equals_scikit_learn(batch, model)
    assert summary["columns"] == list(TABLE.columns)
    assert batch.table()["body_mass_g"].tolist() == TABLE["body_mass_g"].tolist()


def test_batch_of_a_chosen_sheet_says_so(model):
    content = xlsx({"Notes": [["nothing", "here"]], "Penguins": sheet_of(TABLE)})

    batch, summary = _run(content, reading={"sheet": "Penguins"})

    assert_equals_scikit_learn(batch, model)
    assert summary["notes"] == ["The sheet 'Penguins' of the workbook was read."]


@pytest.mark.parametrize("pack", PACKINGS.values(), ids=PACKINGS)
def test_plan_bomb_is_refused_at_the_limit(model, monkeypatch, pack):
    monkeypatch.setenv("PORTICO_BATCH_MAX_BYTES", "10000000")
    content = pack(penguin_csv() + b"41,4000,male,x\n" * 2_000_000)
    assert len(content) < 1_000_000

    with pytest.raises(BatchRefused, match=r"more than 9.5 MB, which is the most that is scored at once. Split it."):
        BatchRun(content).step("plan")


def test_plan_parquet_bomb_is_refused_at_the_limit(model, monkeypatch):
    monkeypatch.setenv("PORTICO_BATCH_MAX_BYTES", "1000000")
    table = penguins(20_000)

    with pytest.raises(BatchRefused, match="which is the most that is scored at once"):
        BatchRun(parquet(table)).step("plan")


LARGE = penguin_csv(1000) * 1500
# Prints by how much reading the file lifted the memory of a process, and of those that it started, in MB.
MEASURE = """
import resource, sys
from predictor import reading
class File(reading.BytesSource):
    def __init__(self, path):
        self.path = path
        self.size = len(open(path, "rb").read())
    def chunks(self):
        with open(self.path, "rb") as file:
            while chunk := file.read(1 << 20):
                yield chunk
    def range(self, start, end):
        with open(self.path, "rb") as file:
            file.seek(start)
            return file.read(end - start)
    size_bytes = property(lambda self: self.size)
file = File(sys.argv[1])
found, _ = reading.sniff(file)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
read = sum(map(len, reading.read(file, found)))
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(read >> 20, (after - before) >> 10, child >> 10)
"""


@pytest.mark.parametrize(
    ("make", "most_mb", "child_most_mb"),
    [
        (lambda: zstd(LARGE), 60, 0),
        (lambda: gzip.compress(LARGE, 1), 60, 0),
        (lambda: zipped({"a.csv": LARGE}, level=1), 60, 0),
        (lambda: json_lines(penguins(1000)) * 1000, 60, 0),
        (lambda: parquet(penguins(1000).sample(2_000_000, replace=True), row_group_size=100_000), 30, 400),
    ],
    ids=["zstd", "gzip", "zip", "jsonl", "parquet"],
)  # fmt: skip
def test_read_large_file_takes_little_memory(tmp_path, make, most_mb, child_most_mb):
    path = tmp_path / "file"
    path.write_bytes(make())

    said = subprocess.run(
        [sys.executable, "-c", MEASURE, str(path)], capture_output=True, text=True, check=True, cwd="lambda_docker"
    )

    read_mb, grown_mb, child_mb = map(int, said.stdout.split())
    assert read_mb > 45
    assert grown_mb <= most_mb
    assert child_mb <= child_most_mb
