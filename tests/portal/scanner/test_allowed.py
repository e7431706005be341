"""The list itself: up to date, and nothing on it leads out of the world of fitted models."""

import importlib
import inspect
import io
import json
import os
import pickle
import socket
import subprocess
import sys
import threading
import tomllib
import types
from pathlib import Path

import numpy as np
import pytest

import allowlist
from portal.scanner import allowed
from portal.scanner.allowed import load_grants
from portal.scanner.limits import Limits
from portal.scanner.reconstructors import ARGUMENT_PAIRS, RECONSTRUCTORS
from portal.scanner.refusals import FILES, NETWORK
from portal.scanner.scan import scan

ROOT = Path(__file__).parents[3]
DANGEROUS = {"os", "posix", "nt", "subprocess", "importlib", "runpy", "sys", "ctypes", "pickle", "operator", "code"}
DANGEROUS |= NETWORK | FILES
NEVER = {("builtins", name) for name in ("eval", "exec", "compile", "getattr", "setattr", "open", "__import__", "type")}
ROOMS = {"sklearn", "scipy", "numpy", "builtins", "collections", "_codecs", "functools"}
ROOMS |= {"lightgbm", "xgboost", "catboost"}
# These free the trees that their library holds; what they may be given as such is checked (objects.HANDLES).
WITH_FINALIZER = {("lightgbm.basic", "Booster"), ("xgboost.core", "Booster")}
# numpy and scipy give these no module, or another spelling of it; the tests below compare the objects themselves.
UFUNC_MODULES = {"numpy._core._multiarray_umath", "scipy.special._ufuncs"}
# Spellings of earlier releases: the loader finds the same object under them, or none at all.
MOVED = {
    ("sklearn.utils", "Bunch"): ("sklearn.utils._bunch", "Bunch"),
    ("scipy.sparse.csr", "csr_matrix"): ("scipy.sparse._csr", "csr_matrix"),
    ("scipy.sparse.csc", "csc_matrix"): ("scipy.sparse._csc", "csc_matrix"),
    ("scipy.sparse.coo", "coo_matrix"): ("scipy.sparse._coo", "coo_matrix"),
    ("numpy", "bool_"): ("numpy", "bool"),
}
# Bases that nothing on the list may have.
FORBIDDEN_BASES = (io.IOBase, subprocess.Popen, threading.Thread, socket.socket, types.ModuleType, pickle._Unpickler)
SAMPLE = """
from sklearn.base import BaseEstimator, TransformerMixin


class Doubler(TransformerMixin, BaseEstimator):
    def fit(self, rows, target=None):
        self.n_features_in_ = 1
        return self

    def transform(self, rows):
        return rows * 2


def double(rows):
    return rows * 2
"""


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
        if pair in made and (not inspect.isclass(thing) or (hasattr(thing, "__del__") and pair not in WITH_FINALIZER))
    ]

    assert odd == []


def test_nothing_from_data_sets_tests_or_parallel_workers_is_listed():
    shut = ("datasets", "tests", "externals", "parallel", "_testing", "experimental")

    listed = [pair for pair in load_grants() if any(part in shut for part in pair[0].split("."))]

    assert listed == []


@pytest.mark.filterwarnings("ignore")
def test_listed_pairs_name_the_very_objects_that_are_defined_there():
    """No second door: the module is where the object was made, and the name is its own."""
    strangers = []
    for pair, thing in resolve_all():
        module, name = MOVED.get(pair, pair)
        if type(thing) is np.ufunc:
            is_own = thing is getattr(np, name, None) or module in UFUNC_MODULES
        else:
            is_own = (thing.__module__, thing.__qualname__) == (module, name)
        if not is_own and pair not in {*RECONSTRUCTORS, *ARGUMENT_PAIRS}:
            strangers.append((pair, getattr(thing, "__module__", None), getattr(thing, "__qualname__", None)))

    # numpy's older spellings of its functions: another name of the very same object.
    assert [found for found in strangers if not is_alias(found[0])] == []


def is_alias(pair):
    module, name = pair
    thing = getattr(importlib.import_module(module), name)
    return module == "numpy" and thing is getattr(np, getattr(thing, "__name__", ""), None)


@pytest.mark.filterwarnings("ignore")
def test_listed_classes_inherit_nothing_that_opens_files_or_runs_programs():
    heirs = [pair for pair, thing in resolve_all() if inspect.isclass(thing) and issubclass(thing, FORBIDDEN_BASES)]

    assert heirs == []


@pytest.mark.filterwarnings("ignore")
def test_listed_functions_reach_no_file_process_or_import_by_their_own_code():
    """The names that a function's own code looks up, one level deep."""
    reaching = {
        pair
        for pair, thing in resolve_all()
        if inspect.isfunction(thing)
        and {"open", "exec", "eval", "system", "Popen", "import_module", "__import__", "urlopen"}
        & set(thing.__code__.co_names)
    }

    assert reaching == set()


def write_list(*options, **environment):
    return subprocess.run(
        [sys.executable, ROOT / "lambda_docker" / "allowlist.py", *options],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


def test_list_is_what_the_installed_packages_give():
    stored = (ROOT / "portal" / "scanner" / "allowed.json").read_text(encoding="utf-8")

    written = write_list()

    assert written.stdout == stored


def test_packages_that_are_not_installed_keep_their_names(tmp_path):
    packages = tmp_path / "packages.toml"
    packages.write_text('[catboost.estimators]\n"catboost.core" = ["CatBoost"]\n[absent.values]\n"absent" = ["x"]\n')
    stored = json.loads((ROOT / "portal" / "scanner" / "allowed.json").read_text(encoding="utf-8"))

    written = write_list("--packages", packages)

    listed = json.loads(written.stdout)["packages"]
    assert listed["catboost"].get("version") == stored["packages"]["catboost"]["version"]
    assert "absent" not in listed
    assert "absent is not installed here" in written.stderr


def test_names_of_ones_own_package_are_checked_and_listed(tmp_path):
    (tmp_path / "shopmodels.py").write_text(SAMPLE)
    packages = tmp_path / "packages.toml"
    packages.write_text(
        '[shopmodels.estimators]\nshopmodels = ["Doubler"]\n[shopmodels.values]\nshopmodels = ["double"]\n'
    )

    written = write_list("--packages", packages, PYTHONPATH=str(tmp_path))

    assert json.loads(written.stdout)["packages"] == {
        "shopmodels": {
            "version": None,
            "estimators": {"shopmodels": ["Doubler"]},
            "values": {"shopmodels": ["double"]},
        }
    }


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ('estimators]\nshopmodels = ["BaseEstimator"]', "not defined there"),
        ('classes]\nshopmodels = ["double"]', "not a class"),
        ('estimators]\nshopmodels = ["Missing"]', "not defined there"),
        ('values]\nos = ["system"]', "not a module of shopmodels"),
        ('everything]\nshopmodels = ["double"]', "a package grants"),
    ],
)
def test_names_that_are_not_a_packages_own_are_refused(entry, words, tmp_path, monkeypatch):
    (tmp_path / "shopmodels.py").write_text(SAMPLE)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "shopmodels", raising=False)

    with pytest.raises(allowlist.MisplacedError, match=words):
        allowlist.list_packages(tomllib.loads(f"[shopmodels.{entry}\n"), {})


def test_model_of_ones_own_package_passes_once_its_names_are_listed(tmp_path, monkeypatch):
    (tmp_path / "shopmodels.py").write_text(SAMPLE)
    packages = tmp_path / "packages.toml"
    packages.write_text('[shopmodels.estimators]\nshopmodels = ["Doubler"]\n')
    monkeypatch.syspath_prepend(str(tmp_path))
    model = tmp_path / "model.pkl"
    model.write_bytes(pickle.dumps(importlib.import_module("shopmodels").Doubler().fit([[1.0]])))
    listed = tmp_path / "allowed.json"
    listed.write_text(write_list("--packages", packages, PYTHONPATH=str(tmp_path)).stdout)

    before = scan(model, Limits())
    monkeypatch.setattr(allowed, "LIST", listed)
    load_grants.cache_clear()
    after = scan(model, Limits())
    load_grants.cache_clear()

    assert (before.ok, after.ok, after.estimator) == (False, True, "Doubler")
    assert "ask the administrator" in before.refusals[0].remedy


def test_child_can_import_neither_scikit_learn_nor_django():
    program = (
        "import importlib.util as u; print([n for n in ('sklearn', 'numpy', 'django', 'joblib') if u.find_spec(n)])"
    )

    answer = subprocess.run(
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
