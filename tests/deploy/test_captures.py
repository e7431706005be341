"""What the API of a real stack answers lies in the bucket within moments, whichever function answered."""

import json
import time

import numpy as np
import pandas as pd
import pytest
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.linear_model import LogisticRegression

from tests.deploy.publishing import publish
from tests.deploy.sending import send

ROW = {"a": 0.25, "b": -0.75}
_WITHIN_S = 30


def _captured(stack, request_id: str) -> list[dict]:
    """The lines about a call, once there are any, and whatever else came a moment later."""
    s3, ends, found = stack.target.s3, time.monotonic() + _WITHIN_S, []
    while not found and time.monotonic() < ends:
        time.sleep(0.2)
        found = _lines(stack, s3, request_id)
    time.sleep(2)
    return _lines(stack, s3, request_id)


def _lines(stack, s3, request_id: str) -> list[dict]:
    listed = s3.list_objects_v2(Bucket=stack.bucket, Prefix="captures/").get("Contents", [])
    bodies = [s3.get_object(Bucket=stack.bucket, Key=entry["Key"])["Body"].read() for entry in listed]
    # Other tests leave lines there that nobody can read.
    return [json.loads(line) for body in bodies for line in body.splitlines() if request_id.encode() in line]


@pytest.mark.parametrize(
    ("slug", "estimator"),
    [("kept-compiled", LogisticRegression()), ("kept-full", GaussianProcessClassifier(random_state=0))],
)
def test_call_is_kept_once_by_the_function_that_answered_it(stack, slug, estimator):
    rows = pd.DataFrame(np.random.default_rng(3).normal(size=(60, 2)), columns=["a", "b"])
    sha256 = publish(stack, slug, estimator.fit(rows, np.where(rows["a"] + rows["b"] > 0, "yes", "no")))

    status, headers, body = send(
        "POST",
        f"{stack.environment['PORTICO_API_URL']}/{slug}/singlePrediction",
        body=json.dumps(ROW).encode(),
        headers={"Content-Type": "application/json"},
    )

    assert status == 200
    (line,) = _captured(stack, {name.lower(): value for name, value in headers.items()}["x-request-id"])
    assert (line["model"], line["sha256"], line["inputs"], line["person"]) == (slug, sha256, ROW, None)
    assert line["prediction"]["probabilities"][-1] == pytest.approx(json.loads(body)["pred_proba"], abs=1e-3)
