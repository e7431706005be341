"""What is in the image, and what is not."""

import json
from pathlib import Path

import joblib
import pytest

from tests.containers.lambda_container import docker, list_allowed, run_python
from tests.predictor.factories import array_model, dump, penguin_model, penguins
from tests.predictor.files import json_lines, parquet, sheet_of, xlsx, zstd

pytestmark = pytest.mark.containers

ROOT = Path(__file__).resolve().parents[2]
WITH_PANDAS_ON_THE_PATH = ("--env", "PYTHONPATH=/opt/packages:/opt/pandas")

# Files of ours under /opt and /var/task, and where installers leave theirs.
LIST_FILES = """
import json, os
home = os.path.expanduser("~root")
roots = ("/opt/packages", "/opt/pandas", "/var/task", "/build", home, "/tmp", "/var/cache/apt", "/var/lib/apt/lists")
walks = (walk for root in roots for walk in os.walk(root))
print(json.dumps([os.path.join(folder, name) for folder, _, names in walks for name in names]))
"""
READ_HEADERS = """
import json, pathlib
found = {}
for root in ("/opt/packages", "/opt/pandas", "/var/task"):
    for path in pathlib.Path(root).rglob("*.pyc"):
        found[str(path)] = int.from_bytes(path.read_bytes()[4:8], "little")
print(json.dumps(found))
"""
# Everything that is installed is imported, and what fails is printed with the module that it lacks.
IMPORT_ALL = """
import importlib, json, pkgutil, sys, warnings
warnings.simplefilter("ignore")
failed = {}
def visit(name):
    try:
        module = importlib.import_module(name)
    except ImportError as problem:
        failed[name] = [str(problem), problem.name]
        return
    except Exception as problem:
        failed[name] = [repr(problem), None]
        return
    for found in pkgutil.iter_modules(getattr(module, "__path__", ()), name + "."):
        if not found.name.endswith("__main__"):
            visit(found.name)
sys.stdout, out = sys.stderr, sys.stdout
for name in sys.argv[1:]:
    visit(name)
print(json.dumps(failed), file=out)
"""
SERVE = """
import json, sys
from predictor.description import describe
from predictor.loading import load
description = describe(load(sys.stdin.buffer.read(), format="pickle").estimator)
print(json.dumps(["pandas" in sys.modules, description.to_json()]))
"""
READ = """
import sys
from predictor import reading
file = reading.BytesSource(sys.stdin.buffer.read())
found, _ = reading.sniff(file)
print(b"".join(reading.read(file, found)).decode())
"""
INSTALLED = ["sklearn", "scipy", "numpy", "pandas", "joblib", "narwhals", "boto3", "botocore", "s3transfer"]
INSTALLED += [
    "awslambdaric",
    "dateutil",
    "threadpoolctl",
    "urllib3",
    "jmespath",
    "cloudpickle",
    "fastexcel",
    "zstandard",
]
INSTALLED += ["polars", "_polars_runtime_32"]
# Do not import anywhere, or on another system only, or ask for a package (Jinja2, awscrt) without naming it.
IMPORTED_BY_NOBODY = {
    "sklearn._build_utils.version",
    "scipy.special._precompute.hyp2f1_data",
    "numpy.f2py._backends._distutils",
    "pandas.io.formats.style",
    "pandas.io.formats.style_render",
    "joblib.externals.loky.backend._win_reduction",
    "botocore.crt.auth",
    "dateutil.tz.win",
    "dateutil.tzwin",
    "polars.ml.torch",
    "polars.testing.parametric",
}


@pytest.fixture(scope="module")
def files(lambda_image: str) -> list[str]:
    return json.loads(run_python(lambda_image, LIST_FILES, options=("--user", "0")))


def test_user_is_not_root_and_code_is_not_its_own_to_change(lambda_image):
    source = (
        "import os; print(os.getuid(), [f for f in ('/var/task', '/opt/packages', '/opt') if os.access(f, os.W_OK)])"
    )

    assert run_python(lambda_image, source).split(maxsplit=1) == ["10001", "[]\n"]


def test_no_compiler_is_left(lambda_image):
    names = ["gcc", "cc", "g++", "c++", "clang", "ld", "as", "make", "cmake", "strip", "gfortran"]
    source = f"import shutil; print([name for name in {names} if shutil.which(name)])"

    assert run_python(lambda_image, source).strip() == "[]"


def test_kernels_are_compiled(lambda_image):
    source = "from predictor import native; print(native.kernels() is not None)"

    assert run_python(lambda_image, source).strip() == "True"


@pytest.mark.parametrize("folder", ["tests", "test", "include"])
def test_no_folder_of_this_name_is_left(files, folder):
    assert [path for path in files if f"/{folder}/" in path] == []


def test_nothing_is_left_of_building(files):
    endings = (".pyx", ".pxd", ".h", ".c", ".cpp", ".a", ".whl", ".deb", ".pyi")
    caches = ("/build/", "/tmp/", "/var/lib/apt/lists/deb")  # noqa: S108

    # Our own code is there as it is, with what its kernels were compiled of.
    others = [path for path in files if not path.startswith("/var/task/")]
    assert [path for path in others if path.endswith(endings) or path.startswith(caches) or "/.cache/" in path] == []


def test_services_that_are_spoken_to_are_the_only_ones(files):
    folders = {
        path.split("/data/")[1].split("/")[0] for path in files if "/botocore/data/" in path and path.count("/") > 5
    }

    assert folders == {"s3", "kms", "stepfunctions"}


def test_every_module_has_byte_code_that_stays_valid_whatever_the_times(lambda_image, files):
    flags = json.loads(run_python(lambda_image, READ_HEADERS))
    sources = [path for path in files if path.endswith(".py")]

    compiled = {path.replace("/__pycache__", "").replace(".cpython-313.pyc", ".py") for path in flags}

    assert set(flags.values()) == {0b01}  # PEP 552: a hash that is not checked
    assert {path for path in sources if not path.startswith("/var/task/")} == set()
    assert set(sources) <= compiled


def test_standard_library_has_byte_code(lambda_image):
    source = (
        "import json, os, sys, predictor.handler, sklearn.pipeline;"
        "print([m for m, v in sys.modules.items() if (c := getattr(v, '__cached__', None)) and not os.path.exists(c)])"
    )

    assert run_python(lambda_image, source).strip() == "[]"


def test_every_module_can_be_imported_as_far_as_it_lacks_nothing_of_ours(lambda_image):
    failed = json.loads(run_python(lambda_image, IMPORT_ALL, *INSTALLED, options=WITH_PANDAS_ON_THE_PATH))

    broken = {name: why for name, (why, lacks) in failed.items() if not lacks or lacks.split(".")[0] in INSTALLED}

    assert broken.keys() <= IMPORTED_BY_NOBODY, broken
    assert "sklearn.externals.array_api_compat.torch" in failed  # what cannot be imported is seen


def test_portal_allows_what_this_image_can_load(lambda_image):
    listed = list_allowed(lambda_image)

    assert listed == json.loads((ROOT / "portal" / "scanner" / "allowed.json").read_text("utf-8"))


@pytest.mark.parametrize(("make", "needs_pandas"), [(array_model, False), (penguin_model, True)])
def test_pandas_comes_only_to_a_model_that_needs_it_and_changes_no_answer(lambda_image, make, needs_pandas):
    body = dump(make())

    came, described = json.loads(run_python(lambda_image, SERVE, given=body))
    _, plainly = json.loads(run_python(lambda_image, SERVE, given=body, options=WITH_PANDAS_ON_THE_PATH))

    assert came is needs_pandas
    assert described == plainly
    assert described["golden"]


@pytest.mark.parametrize(
    "make", [parquet, json_lines, lambda table: xlsx({"A": sheet_of(table)}), lambda table: zstd(json_lines(table))]
)
def test_file_of_any_format_is_read_where_nothing_but_tmp_can_be_written(lambda_image, make):
    table = penguins(5)

    text = run_python(lambda_image, READ, given=make(table))

    assert text.strip() == table.to_csv(index=False).strip()


def test_image_has_the_versions_that_the_tests_run_with(lambda_image):
    source = "import joblib, numpy, scipy, sklearn; print(*(m.__version__ for m in (joblib, numpy, scipy, sklearn)))"
    import numpy
    import scipy
    import sklearn

    here = [module.__version__ for module in (joblib, numpy, scipy, sklearn)]

    assert run_python(lambda_image, source).split() == here


def test_image_is_started_as_documented(lambda_image):
    settings = json.loads(docker("image", "inspect", lambda_image))[0]["Config"]

    assert settings["Cmd"] == ["predictor.handler.handle"]
    assert settings["Entrypoint"] == ["/opt/entry.sh"]
    assert "8080/tcp" in settings["ExposedPorts"]
