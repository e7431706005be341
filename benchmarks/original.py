"""The original tool's single prediction as a Lambda handler: what it imports, what it does in each call.

All probabilities are answered, unrounded: unlike its own last one of three decimals, they can be compared.
"""

import base64
import json
import os
import pickle
from collections.abc import Mapping
from typing import Any

import boto3
import pandas as pd


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """An API event's answer, by a model that is fetched and unpickled in every call."""
    stored = boto3.client("s3").get_object(Bucket=os.environ["PORTICO_BUCKET"], Key=os.environ["MODEL_FILE"])
    model = pickle.loads(stored["Body"].read())  # noqa: S301  # made by the benchmark
    text = base64.b64decode(event["body"]) if event.get("isBase64Encoded") else event["body"]
    frame = pd.DataFrame(json.loads(text), index=[0], columns=model.feature_names_in_)
    if frame.isna().to_numpy().any():
        raise ValueError("A value is missing.")
    shares = model.predict_proba(frame)[0]
    return {"statusCode": 200, "body": json.dumps({"probabilities": [float(share) for share in shares]})}
