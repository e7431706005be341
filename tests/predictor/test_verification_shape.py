"""A manifest that a hostile model wrote is refused whole, or loses what the contract does not name."""

import copy
import json
from typing import Any

import pytest

from predictor.manifest_shape import WrongShape, read_manifest
from tests.predictor.examining import examine
from tests.predictor.factories import penguin_model


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    return examine(penguin_model(missing=True))


def test_manifest_of_a_real_model_passes_unchanged(manifest):
    assert read_manifest(json.loads(json.dumps(manifest))) == manifest


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("estimator",), 3),
        (("estimator",), "x" * 201),
        (("steps",), [{"name": "a"}]),
        (("steps",), "scaler"),
        (("fitted_on",), "image"),
        (("features",), []),
        (("features", 0, "name"), "sex"),
        (("features", 0, "kind"), ["number"]),
        (("features", 0, "default"), {"a": 1}),
        (("features", 0, "accepts_missing"), 1),
        (("features", 0, "choices"), [[1]]),
        (("output", "type"), "picture"),
        (("output", "classes"), [None]),
        (("output", "probabilities"), "yes"),
        (("warnings",), ["x" * 1001]),
        (("warnings",), ["x"] * 21),
        (("golden", 0, "row"), {"other": 1}),
        (("golden", 0, "prediction", "probabilities"), [float("inf")]),
        (("golden", 0, "prediction", "scores"), [[1.0]]),
        (("trials", "single", "milliseconds"), -1),
        (("trials", "single", "milliseconds"), True),
        (("trials", "missing"), None),
        (("flags",), [{"code": "x" * 41, "message": ""}]),
        (("memory_bytes",), 1.5),
        (("load_milliseconds",), "0"),
        (("versions", "numpy"), []),
    ],
)
def test_manifest_with_a_wrong_value_refused(manifest, place, value):
    forged = copy.deepcopy(manifest)
    inner = forged
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value

    with pytest.raises(WrongShape):
        read_manifest(forged)


@pytest.mark.parametrize("missing", ["versions", "features", "golden", "trials", "memory_bytes"])
def test_manifest_without_an_entry_refused(manifest, missing):
    with pytest.raises(WrongShape):
        read_manifest({name: value for name, value in manifest.items() if name != missing})


@pytest.mark.parametrize("value", [None, [], "manifest", 3])
def test_manifest_that_is_no_object_refused(value):
    with pytest.raises(WrongShape):
        read_manifest(value)


def test_manifest_with_other_entries_loses_them(manifest):
    forged = {**manifest, "sandbox": ["all"], "sha256": "0" * 64, "signature": {"by": "me"}}

    assert read_manifest(forged) == manifest


def test_manifest_with_half_a_character_becomes_writable(manifest):
    forged = {**manifest, "warnings": ["\ud800"]}

    assert read_manifest(forged)["warnings"] == ["?"]
