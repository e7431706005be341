"""What is compiled, as the documentation has it."""

import re
import subprocess
import sys
from pathlib import Path

from predictor.compiled.operations import NAMES_BY_MODULE, load
from predictor.compiled.operations.registry import BY_CLASS, OPERATIONS
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


def test_names_by_module_are_those_that_the_modules_hold() -> None:
    held = {module: tuple(operation.name for operation in load(module)) for module in NAMES_BY_MODULE}

    assert held == NAMES_BY_MODULE


def test_modules_of_operations_are_all_listed() -> None:
    folder = _DOCS.parents[1] / "lambda_docker" / "predictor" / "compiled" / "operations"

    holding = {
        file.stem for file in folder.glob("*.py") if re.search(r"^OPERATIONS = ", file.read_text(), re.MULTILINE)
    }

    assert holding == set(NAMES_BY_MODULE)


def test_reading_imports_the_standard_library_alone() -> None:
    imported = _imported_by("import predictor.compiled.operations.registry, predictor.compiled.reading")

    assert not {"numpy", "scipy", "sklearn", "pandas", "statistics", "dataclasses"} & imported


def test_document_is_read_with_the_modules_of_its_own_operations() -> None:
    program = (
        "from predictor.compiled.reading import Walker; from predictor.features import Output;"
        "model = {'op': 'dummy_regressor', 'value': 1.0};"
        "document = {'format': 'portico-compiled', 'format_version': 1, 'features': [], 'model': model};"
        "Walker(document, features=(), output=Output('regression'))"
    )

    imported = _imported_by(program)

    assert "predictor.compiled.operations.targets" in imported
    assert not {f"predictor.compiled.operations.{name}" for name in ("trees", "forest", "neighbors")} & imported


def _imported_by(program: str) -> set[str]:
    where = {"PYTHONPATH": str(_DOCS.parents[1] / "lambda_docker")}
    command = [sys.executable, "-c", f"{program}; import sys; print(*sys.modules)"]
    said = subprocess.run(command, env=where, capture_output=True, text=True, check=True)
    return set(said.stdout.split())
