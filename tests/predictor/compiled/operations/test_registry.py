"""What is compiled, as the documentation has it."""

import re
import subprocess
import sys
from pathlib import Path

from predictor.compiled.operations import BY_CLASS, OPERATIONS
from tests.predictor.estimators import ESTIMATORS

_DOCS = Path(__file__).parents[4] / "docs" / "compiled.md"


def test_documented_list_is_the_registrys() -> None:
    compiled, _, _ = _DOCS.read_text(encoding="utf-8").partition("Everything else is served in full")

    listed = re.findall(r"^\| `(\w+)` \|", compiled, re.MULTILINE)

    assert sorted(listed) == sorted({name.rpartition(".")[2] for name in BY_CLASS})


def test_registered_classes_are_scikit_learns_own() -> None:
    known = {f"{kind.__module__}.{kind.__qualname__}" for kind in ESTIMATORS.values()}

    assert {name for name in BY_CLASS if name.startswith("sklearn.")} <= known


def test_operations_have_names_of_their_own() -> None:
    assert len({name for operation in OPERATIONS.values() for name in operation.classes}) == sum(
        len(operation.classes) for operation in OPERATIONS.values()
    )


def test_reading_imports_the_standard_library_alone() -> None:
    program = "import sys, predictor.compiled.reading; print(*sys.modules)"
    where = {"PYTHONPATH": str(_DOCS.parents[1] / "lambda_docker")}

    said = subprocess.run([sys.executable, "-c", program], env=where, capture_output=True, text=True, check=True)

    assert not {"numpy", "scipy", "sklearn", "pandas", "statistics"} & set(said.stdout.split())
