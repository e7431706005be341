"""The image with every extra and a package of one's own: models that were saved in it are verified and answer."""

import base64
import hashlib
import json
import shutil
import uuid
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.containers.conftest import ROOT
from tests.containers.lambda_container import LambdaContainer, docker, list_allowed, run_python
from tests.predictor import extras
from tests.predictor.factories import signed

pytestmark = pytest.mark.containers

IMAGE = "portico-lambda-extras"
EXTRAS = ["lightgbm", "xgboost", "catboost"]
KEY = "a key of the tests, of 32 characters and more"
PACKAGE = Path(__file__).parent / "own_package"
# What is fitted: each kind of model once by each library, and in turns on arrays and DataFrames.
SHAPE_OF = {"binary": "dataframe", "multiclass": "array", "regression": "dataframe"}
NAMES = [f"{library}-{kind}" for library in EXTRAS for kind in SHAPE_OF] + ["own-package", "catboost-texts"]

FIT = """
import base64, json, os, pickle, sys
sys.path.append(os.environ["PORTICO_PANDAS_PATH"])
{extras}
def save(model, kind, shape, *, table=None):
    rows = rows_of(shape) if table is None else table.to_dict("records")
    answers = own_answers(model, table_of(shape) if table is None else table, kind)
    return dict(model=base64.b64encode(pickle.dumps(model)).decode(), answers=answers, rows=rows, shape=shape)

saved = {{}}
for library in {libraries}:
    for kind, shape in {shape_of}.items():
        saved[f"{{library}}-{{kind}}"] = save(fit(library, kind, shape), kind, shape)
from house_rules import PerThousand
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
table = table_of("dataframe")
model = make_pipeline(PerThousand(), LogisticRegression()).fit(table, [0, 1] * (len(table) // 2))
saved["own-package"] = save(model, "binary", "dataframe")
from catboost import CatBoostClassifier
table["city"] = ["Oslo", "Rome"] * (len(table) // 2)
model = CatBoostClassifier(8, verbose=0, allow_writing_files=False, cat_features=["city"]).fit(table, [0, 1, 1] * 2)
saved["catboost-texts"] = save(model, "binary", "dataframe", table=table)
print(json.dumps(saved))
"""

Start = Callable[..., LambdaContainer]


def make_wheel(package: Path, folder: Path) -> None:
    """What `pip wheel --no-deps` makes of a package without settings, made without fetching a build backend."""
    about = "house_rules-1.0.dist-info"
    with zipfile.ZipFile(folder / "house_rules-1.0-py3-none-any.whl", "w") as wheel:
        for file in sorted(package.rglob("*.py")):
            wheel.write(file, file.relative_to(package))
        wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: house-rules\nVersion: 1.0\n")
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", "")


@pytest.fixture(scope="module")
def image(docker_engine: None, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Built from a copy, so that no other image gets this test's wheel."""
    context = tmp_path_factory.mktemp("build") / "lambda_docker"
    shutil.copytree(ROOT / "lambda_docker", context, ignore=shutil.ignore_patterns("__pycache__", "*.whl"))
    make_wheel(PACKAGE, context / "wheels")
    docker("build", "--tag", IMAGE, "--build-arg", f"EXTRAS={' '.join(EXTRAS)}", str(context))
    return IMAGE


@pytest.fixture(scope="module")
def saved(image: str) -> dict[str, Any]:
    """Models by name, fitted and saved in the image, with rows and the library's own answers to them."""
    source = Path(extras.__file__).read_text("utf-8")
    return json.loads(run_python(image, FIT.format(extras=source, libraries=EXTRAS, shape_of=SHAPE_OF)))


@pytest.fixture(scope="module")
def allowed_here(image: str) -> dict[str, Any]:
    """Names of the extras, looked up in the image."""
    return list_allowed(image)["packages"]


@pytest.fixture(scope="module")
def start(image: str) -> Iterator[Start]:
    started: list[LambdaContainer] = []

    def start_one(*arguments: str, objects: dict[str, bytes]) -> LambdaContainer:
        options = ("--network", "none", "--env", f"PORTICO_MANIFEST_KEY={KEY}")
        started.append(LambdaContainer(image, *arguments, options=options))
        started[-1].serve_objects(objects)
        return started[-1]

    yield start_one
    for container in started:
        container.remove()


@pytest.fixture(scope="module")
def verified(saved: dict[str, Any], start: Start) -> dict[str, Any]:
    """What verify says of each."""
    uploads = {name: str(uuid.uuid4()) for name in saved}
    bodies = {name: base64.b64decode(entry["model"]) for name, entry in saved.items()}
    objects = {f"quarantine/{uploads[name]}": body for name, body in bodies.items()}
    container = start("predictor.handler.verify", objects=objects)
    asked = {"operation": "verify", "format": "pickle"}
    return {
        name: container.invoke({**asked, "upload": uploads[name], "sha256": hashlib.sha256(body).hexdigest()})
        for name, body in bodies.items()
    }


@pytest.fixture(scope="module")
def serving(saved: dict[str, Any], verified: dict[str, Any], start: Start) -> LambdaContainer:
    """A predict function with all those that passed, each as version 1."""
    objects = {}
    for name, answer in verified.items():
        if answer["ok"]:
            manifest = {**answer["manifest"], "file": "model.pkl", "slug": name, "number": 1}
            objects[f"models/{name}/1/model.pkl"] = base64.b64decode(saved[name]["model"])
            objects[f"models/{name}/1/manifest.json"] = json.dumps(signed("manifest", manifest, key=KEY)).encode()
    return start(objects=objects)


@pytest.mark.parametrize("name", NAMES)
def test_model_saved_in_the_image_passes_verify(saved, verified, name):
    answer = verified[name]

    assert answer["ok"], answer
    assert answer["manifest"]["fitted_on"] == saved[name]["shape"]
    assert [feature["name"] for feature in answer["manifest"]["features"]] == list(saved[name]["rows"][0])


@pytest.mark.parametrize("name", NAMES)
def test_model_saved_in_the_image_gives_its_own_answers(saved, serving, name):
    asked = {"operation": "predict", "model": name, "version": 1}

    answers = [serving.invoke({**asked, "row": row}) for row in saved[name]["rows"]]

    assert [answer.get("prediction") for answer in answers] == saved[name]["answers"], answers[0]


def test_golden_rows_of_a_model_of_each_extra_do_not_move(serving):
    answers = [serving.invoke({"operation": "replay", "model": name, "version": 1}) for name in NAMES]

    assert [answer["moved"] for answer in answers] == [[] for _ in NAMES]


@pytest.mark.parametrize("name", EXTRAS)
def test_portal_allows_what_the_extras_of_this_image_have(allowed_here, name):
    allowed = json.loads((ROOT / "portal" / "scanner" / "allowed.json").read_text("utf-8"))["packages"][name]

    # The image keeps no list of a package's files, by which its version would be found.
    assert {**allowed_here[name], "version": None} == {**allowed, "version": None}


def test_start_without_a_model_of_an_extra_imports_none_of_them(image):
    program = "import sys, predictor.handler\nprint(*sys.modules)"

    imported = run_python(image, program).split()

    assert {"pandas", *EXTRAS, "house_rules"}.isdisjoint(imported)
    assert "predictor" in imported
