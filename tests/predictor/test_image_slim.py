"""What the image's build leaves out of scipy's sources: lambda_docker/slim.py."""

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

import pytest
import scipy

SCIPY = Path(scipy.__file__).parent
LAMBDA = Path(__file__).parents[2] / "lambda_docker"


@pytest.fixture(scope="module")
def slim() -> ModuleType:
    spec = importlib.util.spec_from_file_location("slim", LAMBDA / "slim.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def packages(slim: ModuleType, tmp_path: Path) -> Path:
    for name in slim.BUILDS_DOCSTRINGS:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(SCIPY.parent / name, tmp_path / name)
    return tmp_path


def test_docstrings_of_the_pinned_scipy_are_left_out_and_nothing_else(slim: ModuleType, packages: Path) -> None:
    slim.leave_out_docstrings(packages)

    distributions = (packages / "scipy/stats/_distn_infrastructure.py").read_text()
    assert distributions == (SCIPY / "stats/_distn_infrastructure.py").read_text().replace("sys.flags.optimize", "2")
    assert "sys.flags.optimize" not in distributions
    decorators = (packages / "scipy/_lib/_array_api.py").read_text().splitlines()
    added = set(range(len(decorators))) - _places_of(
        (SCIPY / "_lib/_array_api.py").read_text().splitlines(), decorators
    )
    assert [decorators[place].strip() for place in added] == ["return f"]


def test_docstrings_of_another_scipy_end_the_build(slim: ModuleType, packages: Path) -> None:
    (packages / "scipy/_lib/_array_api.py").write_text("def decorator(f):\n    return f\n")

    with pytest.raises(ValueError, match=r"_array_api\.py no longer has the line"):
        slim.leave_out_docstrings(packages)


def test_docstrings_of_a_folder_without_scipy_are_nobodys(slim: ModuleType, tmp_path: Path) -> None:
    slim.leave_out_docstrings(tmp_path)

    assert not list(tmp_path.iterdir())


def _places_of(before: list[str], after: list[str]) -> set[int]:
    """Where the lines of before stand in after, in their order."""
    places, place = set(), 0
    for line in before:
        place = after.index(line, place)
        places.add(place)
        place += 1
    return places
