"""The four samples, written once and read by every test of `model`."""

import json
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import pytest

from model.sample import Sample
from model.samples import SAMPLES
from model.train import main


@dataclass(frozen=True)
class Written:
    """One sample's folder as the portal finds it."""

    sample: Sample
    folder: Path
    settings: dict[str, Any]
    estimator: Any


@pytest.fixture(scope="session")
def samples_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("samples")
    main(["--out", str(folder)])
    return folder


@pytest.fixture(params=SAMPLES, ids=lambda sample: sample.slug)
def written(request: pytest.FixtureRequest, samples_folder: Path) -> Written:
    sample = request.param
    folder = samples_folder / sample.slug
    settings = json.loads((folder / "settings.json").read_text(encoding="utf-8"))
    return Written(sample, folder, settings, load_model(folder / sample.file_name))


def load_model(path: Path) -> Any:
    if path.suffix == ".joblib":
        return joblib.load(path)
    return pickle.loads(path.read_bytes())
