"""The list itself: up to date, and nothing on it leads out of the world of fitted models."""

import importlib
import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest

from portal.scanner.allowed import load_grants
from portal.scanner.reconstructors import ARGUMENT_PAIRS, RECONSTRUCTORS
from portal.scanner.refusals import FILES, NETWORK

ROOT = Path(__file__).parents[3]
DANGEROUS = {"os", "posix", "nt", "subprocess", "importlib", "runpy", "sys", "ctypes", "pickle", "operator", "code"}
DANGEROUS |= NETWORK | FILES
NEVER = {("builtins", name) for name in ("eval", "exec", "compile", "getattr", "setattr", "open", "__import__", "type")}
ROOMS = {"sklearn", "scipy", "numpy", "builtins", "collections", "_codecs", "functools"}


def resolve_all():
    """(pair, object) for each pair that exists in the installed versions."""
    for module, name in {*load_grants(), *RECONSTRUCTORS, *ARGUMENT_PAIRS}:
        try:
            yield (module, name), getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError):
            continue


@pytest.mark.filterwarnings("ignore")
def test_listed_objects_are_defined_in_no_dangerous_module():
    misplaced = [
        pair for pair, thing in resolve_all() if str(getattr(thing, "__module__", "")).split(".")[0] in DANGEROUS
    ]

    assert misplaced == []


def test_listed_pairs_are_in_known_rooms_and_never_code_runners():
    pairs = {*load_grants(), *RECONSTRUCTORS, *ARGUMENT_PAIRS}

    strangers = {pair for pair in pairs if pair[0].split(".")[0] not in ROOMS or pair in NEVER or "." in pair[1]}

    assert strangers == set()


@pytest.mark.filterwarnings("ignore")
def test_listed_things_that_may_be_made_are_classes_without_finalizers():
    made = {pair for pair, grant in load_grants().items() if grant != "value"}

    odd = [
        pair
        for pair, thing in resolve_all()
        if pair in made and (not inspect.isclass(thing) or hasattr(thing, "__del__"))
    ]

    assert odd == []


def test_nothing_from_data_sets_tests_or_parallel_workers_is_listed():
    shut = ("datasets", "tests", "externals", "parallel", "_testing", "experimental")

    listed = [pair for pair in load_grants() if any(part in shut for part in pair[0].split("."))]

    assert listed == []


def test_list_is_what_the_installed_scikit_learn_gives():
    stored = (ROOT / "portal" / "scanner" / "allowed.json").read_text(encoding="utf-8")

    written = subprocess.run(  # noqa: S603
        [sys.executable, ROOT / "lambda_docker" / "allowlist.py"], capture_output=True, check=True, text=True
    ).stdout

    assert json.loads(written) == json.loads(stored)


def test_child_can_import_neither_scikit_learn_nor_django():
    program = (
        "import importlib.util as u; print([n for n in ('sklearn', 'numpy', 'django', 'joblib') if u.find_spec(n)])"
    )

    answer = subprocess.run(  # noqa: S603
        [sys.executable, "-I", "-S", "-c", program], capture_output=True, check=True, text=True
    ).stdout

    assert answer.strip() == "[]"


def test_scanner_imports_only_itself_and_the_standard_library():
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "portal" / "scanner").glob("*.py")]
    lines = [
        line.split() for source in sources for line in source.splitlines() if line.startswith(("import ", "from "))
    ]

    strangers = {
        words[1]
        for words in lines
        if not words[1].startswith("portal.scanner") and words[1].split(".")[0] not in sys.stdlib_module_names
    }

    assert strangers == set()
