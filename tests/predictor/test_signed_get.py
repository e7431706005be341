"""A signed GET without boto3: the signature is botocore's, and a compiled model needs nothing else."""

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from sklearn.linear_model import LogisticRegression

from predictor import bucket, keys, signed_get
from predictor.errors import ObjectMissing, ObjectTooLarge
from tests.predictor import factories

HEAVY = ("numpy", "scipy", "sklearn", "pandas", "polars", "boto3", "botocore", "joblib")
# Each takes milliseconds of a start that has tens of them; without TLS nothing needs ssl.
SLOW = ("dataclasses", "inspect", "uuid", "http.client", "email", "ssl", "urllib.parse")
_PROGRAM = f"""
import json, sys
sys.path.insert(0, sys.argv[1])
from types import SimpleNamespace
from predictor.handler import handle
answer = handle(json.loads(sys.argv[2]), SimpleNamespace(aws_request_id="1"))
print()
print(json.dumps([answer, [name for name in {HEAVY + SLOW!r} if name in sys.modules]]))
"""


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process that has not imported boto3."""
    monkeypatch.delitem(sys.modules, "boto3", raising=False)


@pytest.mark.parametrize("token", ["", "a/session+token=="])
def test_signature_is_the_one_that_botocore_makes(monkeypatch, token):
    environment = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret/+="}
    if token:
        environment["AWS_SESSION_TOKEN"] = token
    path, at = "/a-bucket/models/a%20b/1/manifest.json", datetime(2026, 11, 28, 12, 30, 5, tzinfo=UTC)

    ours = signed_get.sign(
        host="s3.eu-west-1.amazonaws.com", path=path, region="eu-west-1", at=at.timetuple(), environment=environment
    )

    request = AWSRequest("GET", f"https://s3.eu-west-1.amazonaws.com{path}")
    auth = S3SigV4Auth(Credentials("AKID", "secret/+=", token or None), "s3", "eu-west-1")
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: at.replace(tzinfo=None))
    auth.add_auth(request)
    assert ours["authorization"] == request.headers["Authorization"]


def test_object_is_read_with_its_etag(alone):
    bucket.write("models/x/1/compiled.json", b"{}", content_type="application/json")
    expected = bucket.head("models/x/1/compiled.json")
    sys.modules.pop("boto3", None)

    assert signed_get.is_enough()
    stored = bucket.read("models/x/1/compiled.json", limit_bytes=2)

    assert (stored.body, stored.etag) == (b"{}", expected.etag)


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


def test_connection_that_was_opened_ahead_is_the_one_that_is_used(alone, bucket_name):
    bucket.write("object", b"1", content_type="text/plain")
    sys.modules.pop("boto3", None)
    signed_get.forget_connection()

    signed_get.connect_ahead()
    ahead = signed_get._connection._open.sock

    assert ahead is not None
    assert signed_get.get(bucket_name, "object", limit_bytes=1)[0] == b"1"
    assert signed_get._connection._open.sock is ahead


def test_s3_that_is_away_hinders_no_start(alone, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")

    signed_get.connect_ahead()

    with pytest.raises(OSError, match="could not be fetched"):
        signed_get.get("bucket", "key", limit_bytes=1)


def test_s3_that_is_away_is_told_after_some_tries(alone, monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")

    with pytest.raises(OSError, match="could not be fetched"):
        signed_get.get("bucket", "key", limit_bytes=1)


@pytest.mark.parametrize("name", ["AWS_PROFILE", "HTTPS_PROXY"])
def test_what_only_boto3_knows_is_left_to_it(alone, monkeypatch, name):
    monkeypatch.setenv(name, "something")

    assert not signed_get.is_enough()


def _ask_anew(event: dict) -> tuple[dict, list[str]]:
    """A new process's answer, and which of HEAVY and SLOW it has imported."""
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


def _publish_compiled() -> dict:
    """A model with its tables, as a check leaves them; the row that is asked, and scikit-learn's answer."""
    model = factories.penguin_model(estimator=LogisticRegression())
    answer = factories.verified(model)
    manifest = factories.publish(model)
    bucket.write(keys.tables("penguins", 1), answer["compiled"].encode(), content_type="application/json")
    factories.write_manifest({**manifest, "compiled": answer["manifest"]["compiled"]})
    return answer["manifest"]["golden"][0]


def test_prediction_of_a_compiled_model_imports_nothing_heavy_or_slow():
    golden = _publish_compiled()

    answer, imported = _ask_anew({"operation": "predict", "model": "penguins", "row": golden["row"]})

    assert imported == []
    assert answer["prediction"]["label"] == golden["prediction"]["label"]
    assert answer["prediction"]["probabilities"] == pytest.approx(golden["prediction"]["probabilities"], rel=1e-12)


def test_tables_that_are_others_than_those_compared_are_not_used():
    golden = _publish_compiled()
    bucket.write(keys.tables("penguins", 1), b"{}", content_type="application/json")

    answer, imported = _ask_anew({"operation": "predict", "model": "penguins", "row": golden["row"]})

    assert "sklearn" in imported
    assert answer["prediction"] == golden["prediction"]
