"""Only what the portal signed counts: by a secret here, by a key of KMS on AWS."""

import base64
import json
import sys

import boto3
import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

from predictor import bucket, keys, signatures
from predictor.errors import SignatureInvalid
from tests.predictor.factories import ROOT, array_model, make_live, predict, publish, signed

ROW = {"x0": 1, "x1": 2, "x2": 3}
POINTER = {"slug": "m", "version": 1, "sha256": "0" * 64}
OTHER_KEY = "another key of thirty-two characters and more"
VECTORS = json.loads((ROOT / "tests" / "contract" / "signatures.json").read_text("utf-8"))["vectors"]


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_document_signed_elsewhere_passes_with_the_shared_vectors(vector, monkeypatch):
    monkeypatch.setenv("PORTICO_MANIFEST_KEY", vector["key"])
    document = {**vector["document"], "signature": {"by": "hmac-sha256", "mac": vector["mac"]}}

    _check(document, what=vector["what"])

    assert signatures.message(vector["what"], document).decode() == vector["message"]


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "text",
        {},
        {"by": "hmac-sha256"},
        {"by": "hmac-sha256", "mac": None},
        {"by": "hmac-sha256", "mac": ""},
        {"by": "hmac-sha256", "mac": 5},
        {"by": "hmac-sha256", "mac": "not base64!"},
        {"by": "hmac-sha256", "mac": "größer"},
        {"by": "hmac-sha256", "mac": base64.b64encode(bytes(32)).decode()},
        {"by": "hmac-sha256", "mac": base64.b64encode(b"short").decode()},
        {"by": "none", "mac": base64.b64encode(bytes(32)).decode()},
        {"by": ["hmac-sha256"], "mac": base64.b64encode(bytes(32)).decode()},
        {"by": "kms", "mac": base64.b64encode(bytes(32)).decode()},
        signed("live", POINTER, key=OTHER_KEY)["signature"],
        signed("manifest", POINTER, key="a key of the tests, of 32 characters and more")["signature"],
    ],
)
def test_check_signature_that_is_not_the_portals_refused(signature):
    with pytest.raises(SignatureInvalid, match="was not written by the portal"):
        _check({**POINTER, "signature": signature})


@pytest.mark.parametrize("change", [{"version": 2}, {"extra": None}, {"slug": "n"}, {"number": float("nan")}])
def test_check_document_changed_after_signing_refused(change):
    with pytest.raises(SignatureInvalid):
        _check({**signed("live", POINTER), **change})


def test_check_document_signed_for_another_place_refused_and_logged(capsys):
    with pytest.raises(SignatureInvalid):
        signatures.check("live", signed("live", POINTER), named="The pointer", expected={"slug": "other"})

    assert "another place: slug" in json.loads(capsys.readouterr().out)["reason"]


@pytest.mark.parametrize("key", ["", "of only thirty-one characters…"])
def test_check_without_a_key_refuses_everything_and_tells_the_log_which_to_set(key, monkeypatch, capsys):
    pointer = signed("live", POINTER, key=key or OTHER_KEY)
    monkeypatch.setenv("PORTICO_MANIFEST_KEY", key)

    with pytest.raises(SignatureInvalid, match="has no key"):
        _check(pointer)

    assert "PORTICO_MANIFEST_KEY" in json.loads(capsys.readouterr().out)["reason"]


def test_predict_with_unsigned_pointer_refused():
    publish(array_model(), slug="m")
    bucket.write_json(keys.live_pointer("m"), {**POINTER, "sha256": "1" * 64})

    assert predict(ROW, model="m")["error"]["code"] == "signature_invalid"


def test_predict_with_manifest_of_another_model_refused():
    manifest = publish(array_model(), slug="n")
    publish(array_model(), slug="m")
    bucket.write_json(keys.manifest("m", 1), manifest)

    assert predict(ROW, model="m", version=1)["error"]["code"] == "signature_invalid"


def test_predict_with_manifest_of_another_version_refused():
    publish(array_model(), slug="m", version=1)
    bucket.write_json(keys.manifest("m", 1), publish(array_model(), slug="m", version=2))

    assert predict(ROW, model="m", version=1)["error"]["code"] == "signature_invalid"


def test_predict_with_file_and_manifest_swapped_by_one_without_the_key_loads_nothing(monkeypatch):
    forged = publish(array_model([0, 1, 2]), slug="m", live=False)
    forged.pop("signature")
    bucket.write_json(keys.manifest("m", 1), forged)
    monkeypatch.setattr("predictor.full_models.load", _must_not_run)

    assert predict(ROW, model="m", version=1)["error"]["code"] == "signature_invalid"


def test_describe_of_an_unsigned_manifest_refused(store):
    bucket.write_json(keys.manifest("m", 1), {"slug": "m", "number": 1})

    with pytest.raises(SignatureInvalid):
        store.manifest("m", 1)


def test_pointer_unchanged_is_not_checked_again(store, clock, monkeypatch):
    publish(array_model(), slug="m")
    store.get("m")
    monkeypatch.setattr("predictor.signatures.check", _must_not_run)

    clock.now += 60

    assert store.get("m")[1] == "warm"


def test_pointer_changed_while_the_model_is_warm_is_checked(store, clock):
    publish(array_model(), slug="m")
    store.get("m")
    bucket.write_json(keys.live_pointer("m"), {**POINTER, "version": 2})

    clock.now += 60

    with pytest.raises(SignatureInvalid):
        store.get("m")


def test_pointer_refused_and_then_mended_answers_again(store):
    manifest = publish(array_model(), slug="m")
    bucket.write_json(keys.live_pointer("m"), POINTER)
    with pytest.raises(SignatureInvalid):
        store.get("m")
    make_live("m", 1, manifest["sha256"])

    assert store.get("m")[0].version == 1


@pytest.fixture
def kms_key(monkeypatch):
    """A key of the emulator's KMS, which is all that the function has to check with."""
    created = boto3.client("kms").create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    monkeypatch.delenv("PORTICO_MANIFEST_KEY")
    monkeypatch.setenv("PORTICO_MANIFEST_KMS_KEY", created["KeyMetadata"]["KeyId"])
    return created["KeyMetadata"]["KeyId"]


def test_check_of_what_kms_signed_passes(kms_key):
    _check(_signed_by_kms(kms_key))


def test_check_of_what_another_key_of_kms_signed_refused(kms_key):
    other = boto3.client("kms").create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]["KeyId"]

    with pytest.raises(SignatureInvalid):
        _check(_signed_by_kms(other))


def test_check_by_a_secret_where_only_kms_is_set_refused(kms_key):
    with pytest.raises(SignatureInvalid):
        _check(signed("live", POINTER, key=OTHER_KEY))


def test_check_where_kms_refuses_the_function_raises(kms_key, monkeypatch):
    pointer = _signed_by_kms(kms_key)
    monkeypatch.setenv("PORTICO_MANIFEST_KMS_KEY", "no-such-key")

    with pytest.raises(ClientError):
        _check(pointer)


def test_request_to_kms_is_one_that_kms_knows(kms_key, monkeypatch):
    pointer = _signed_by_kms(kms_key)
    shape = botocore.session.get_session().get_service_model("kms").operation_model("VerifyMac").input_shape
    sent = {}

    class Kms:
        def verify_mac(self, **request):
            sent.update(request)
            return {"MacValid": True}

    monkeypatch.setattr(signatures, "_kms_client", lambda endpoint: Kms())

    _check(pointer)

    problems = ParamValidator().validate(sent, shape)
    assert not problems.has_errors(), problems.generate_report()
    assert set(sent) == set(shape.required_members)
    assert sent["MacAlgorithm"] in shape.members["MacAlgorithm"].enum
    assert len(sent["Message"]) <= shape.members["Message"].metadata["max"]


@pytest.fixture
def without_boto3(monkeypatch):
    monkeypatch.delitem(sys.modules, "boto3")


def test_check_without_boto3_asks_kms_as_well(kms_key, without_boto3):
    other = boto3.client("kms").create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]["KeyId"]
    others = _signed_by_kms(other)

    _check(_signed_by_kms(kms_key))

    assert "boto3" not in sys.modules
    with pytest.raises(SignatureInvalid):
        _check(others)


def test_check_without_boto3_where_kms_refuses_the_function_raises(kms_key, without_boto3, monkeypatch):
    pointer = _signed_by_kms(kms_key)
    monkeypatch.setenv("PORTICO_MANIFEST_KMS_KEY", "no-such-key")

    with pytest.raises(OSError, match="KMS answered 400 NotFoundException"):
        _check(pointer)


def test_check_without_boto3_where_kms_is_away_raises_after_some_tries(kms_key, without_boto3, monkeypatch):
    pointer, waits = _signed_by_kms(kms_key), []
    monkeypatch.setattr("predictor.signatures.time.sleep", waits.append)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")

    with pytest.raises(OSError, match="could not be asked"):
        _check(pointer)

    assert len(waits) == 3


def test_model_published_with_kms_answers(kms_key, monkeypatch):
    monkeypatch.setenv("PORTICO_MANIFEST_KEY", OTHER_KEY)
    manifest = publish(array_model(), slug="m")
    monkeypatch.delenv("PORTICO_MANIFEST_KEY")
    bucket.write_json(keys.manifest("m", 1), _signed_by_kms(kms_key, "manifest", manifest))
    pointer = {"slug": "m", "version": 1, "sha256": manifest["sha256"]}
    bucket.write_json(keys.live_pointer("m"), _signed_by_kms(kms_key, "live", pointer))

    assert predict(ROW, model="m")["ok"]


def _signed_by_kms(key, what="live", document=POINTER):
    made = boto3.client("kms").generate_mac(
        KeyId=key, MacAlgorithm="HMAC_SHA_256", Message=signatures.message(what, document)
    )
    return {**document, "signature": {"by": "kms", "mac": base64.b64encode(made["Mac"]).decode()}}


def _check(document, *, what="live"):
    signatures.check(what, document, named="The pointer", expected={})


def _must_not_run(*_, **__):
    raise AssertionError("must not run")
