"""What the portal signs is what the functions check: the shared vectors, and KMS as the emulator plays it."""

import base64
import json
from pathlib import Path
from typing import Any

import boto3
import pytest

from deploy.targets import EMULATOR_CREDENTIALS, Target
from portal.errors import BackendFault
from portal.gateways import aws, signatures
from predictor import signatures as checking

SHARED = Path(__file__).parents[2] / "contract" / "signatures.json"
VECTORS = json.loads(SHARED.read_text("utf-8"))["vectors"]
POINTER = {"slug": "penguins", "version": 3, "sha256": "0" * 64}


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_document_is_signed_as_the_shared_vectors_say(vector: dict[str, Any], settings: Any):
    settings.PORTICO_MANIFEST_KEY = vector["key"]

    unsigned = {name: value for name, value in vector["document"].items() if name != "signature"}

    signed = signatures.sign(vector["what"], vector["document"])

    assert signatures.make_message(vector["what"], unsigned).decode() == vector["message"]
    assert signed == {**unsigned, "signature": {"by": "hmac-sha256", "mac": vector["mac"]}}


def test_document_that_was_signed_before_is_signed_without_its_old_signature():
    once = signatures.sign("live", POINTER)

    assert signatures.sign("live", once) == once


def test_portal_without_a_key_signs_nothing(settings: Any):
    settings.PORTICO_MANIFEST_KEY = ""

    with pytest.raises(BackendFault, match="no key to vouch for models"):
        signatures.sign("live", POINTER)


@pytest.mark.embedded
def test_document_signed_by_kms_is_what_the_function_lets_pass(
    place: Target, settings: Any, monkeypatch: pytest.MonkeyPatch
):
    for name, value in {**EMULATOR_CREDENTIALS, "AWS_ENDPOINT_URL": place.endpoint_url}.items():
        monkeypatch.setenv(name, value)
    aws.client.cache_clear()
    key = boto3.client("kms").create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]["Arn"]
    settings.PORTICO_MANIFEST_KMS_KEY = key
    monkeypatch.setenv("PORTICO_MANIFEST_KMS_KEY", key)

    signed = signatures.sign("live", POINTER)

    aws.client.cache_clear()
    assert signed["signature"]["by"] == "kms"
    assert len(base64.b64decode(signed["signature"]["mac"])) == 32
    checking.check("live", signed, named="the pointer", expected=POINTER)
