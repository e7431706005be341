"""Objects read without boto3, which is all that a compiled model needs."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sklearn.linear_model import LogisticRegression

from predictor import bucket, keys, signed_get, signed_request
from predictor.errors import ObjectMissing, ObjectTooLarge
from tests.predictor import factories

HEAVY = ("numpy", "scipy", "sklearn", "pandas", "polars", "boto3", "botocore", "joblib")
_PROGRAM = f"""
import json, sys
sys.path.insert(0, sys.argv[1])
from predictor.handler import handle
answer = handle(json.loads(sys.argv[2]), None)
print()
print(json.dumps([answer, [name for name in {HEAVY!r} if name in sys.modules]]))
"""


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process that has not imported boto3."""
    monkeypatch.delitem(sys.modules, "boto3", raising=False)


def test_object_is_read_with_its_etag(alone):
    bucket.write("models/x/1/compiled.json", b"{}", content_type="application/json")
    expected = bucket.head("models/x/1/compiled.json")
    sys.modules.pop("boto3", None)

    assert signed_request.is_enough()
    stored = bucket.read("models/x/1/compiled.json", limit_bytes=2)

    assert (stored.body, stored.etag) == (b"{}", expected.etag)
    assert bucket.head("models/x/1/compiled.json") == expected
    assert bucket.head("models/x/2/compiled.json") is None


def test_object_that_is_not_there_and_one_too_large_are_told(alone, bucket_name):
    bucket.write("large", b"12345", content_type="text/plain")

    with pytest.raises(ObjectMissing):
        signed_get.get(bucket_name, "nothing", limit_bytes=10)
    with pytest.raises(ObjectTooLarge):
        signed_get.get(bucket_name, "large", limit_bytes=4)
    assert signed_get.get(bucket_name, "large", limit_bytes=5)[0] == b"12345"


def test_process_that_was_forked_off_opens_a_connection_of_its_own(alone, bucket_name):
    bucket.write("object", b"1", content_type="text/plain")
    signed_get.get(bucket_name, "object", limit_bytes=1)
    inherited = signed_get._connection._open

    bucket.forget_clients()

    assert inherited is not None
    assert inherited.sock is None
    assert signed_get.get(bucket_name, "object", limit_bytes=1)[0] == b"1"
    assert signed_get._connection._open is not inherited


def test_s3_that_is_away_is_told_after_some_tries(alone, monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")

    with pytest.raises(OSError, match="could not be fetched"):
        signed_get.get("bucket", "key", limit_bytes=1)


def _ask_anew(event: dict) -> tuple[dict, list[str]]:
    """A new process's answer, and which of HEAVY it has imported."""
    environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    code = Path(signed_get.__file__).parents[1]
    done = subprocess.run(  # our own interpreter and program
        [sys.executable, "-c", _PROGRAM, str(code), json.dumps(event)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    answer, imported = json.loads(done.stdout.splitlines()[-1])
    return answer, imported


def test_prediction_of_a_compiled_model_imports_the_standard_library_alone():
    golden = factories.publish_compiled(factories.penguin_model(estimator=LogisticRegression()))

    answer, imported = _ask_anew({"operation": "predict", "model": "penguins", "row": golden["row"]})

    assert imported == []
    assert answer["prediction"]["label"] == golden["prediction"]["label"]
    assert answer["prediction"]["probabilities"] == pytest.approx(golden["prediction"]["probabilities"], rel=1e-12)


def test_tables_that_are_others_than_those_compared_are_not_used():
    golden = factories.publish_compiled(factories.penguin_model(estimator=LogisticRegression()))
    bucket.write(keys.tables("penguins", 1), b"{}", content_type="application/json")

    answer, imported = _ask_anew({"operation": "predict", "model": "penguins", "row": golden["row"]})

    assert "sklearn" in imported
    assert answer["prediction"] == golden["prediction"]
