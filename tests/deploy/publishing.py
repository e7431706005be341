"""Models on a real stack, by the way that uploads take: checked by the verify function, then signed and stored."""

import hashlib
import json
import pickle
import uuid

from tests.predictor.factories import signed


def publish(stack, slug, fitted):
    """Make a fitted model version 1 of `slug`, live, with its tables if it has any. Returns: its checksum."""
    body, upload, s3 = pickle.dumps(fitted), str(uuid.uuid4()), stack.target.s3
    digest = hashlib.sha256(body).hexdigest()
    s3.put_object(Bucket=stack.bucket, Key=f"quarantine/{upload}", Body=body)
    question = {"operation": "verify", "upload": upload, "sha256": digest, "format": "pickle"}
    answer = stack.target.functions.invoke(
        FunctionName=stack.outputs["VerifyFunctionName"], Payload=json.dumps(question)
    )
    verified = json.load(answer["Payload"])
    assert verified["ok"], verified
    manifest = {**verified["manifest"], "file": "model.pkl", "slug": slug, "number": 1}
    pointer = {"slug": slug, "version": 1, "sha256": digest}
    key = stack.environment["PORTICO_MANIFEST_KEY"]
    objects = {
        "1/model.pkl": body,
        "1/manifest.json": json.dumps(signed("manifest", manifest, key=key)),
        "live.json": json.dumps(signed("live", pointer, key=key)),
    }
    if verified.get("compiled"):
        objects["1/compiled.json"] = verified["compiled"]
    for name, content in objects.items():
        s3.put_object(Bucket=stack.bucket, Key=f"models/{slug}/{name}", Body=content)
    return digest
