"""Whether the portal wrote a document: manifests and pointers count only with its signature.

Source: docs/contract.md §5, Signatures
"""

import base64
import binascii
import functools
import hashlib
import hmac
import json
import os
import time
from collections.abc import Callable, Mapping
from typing import Any

from predictor import journal, signed_request
from predictor.errors import SignatureInvalid

KEY_MIN_CHARACTERS = 32

_KMS_INVALID = "KMSInvalidMacException"
_KMS_S, _TRIES, _FIRST_WAIT_S = 10.0, 3, 0.1
_kms_connection = signed_request.Connection("kms")


def check(what: str, document: Mapping[str, Any], *, named: str, expected: Mapping[str, Any]) -> None:
    """Let a document pass that the portal signed for this very place.

    Args:   what: "manifest" or "live"; named: the document for a sentence; expected: entries it must have
    Raises: SignatureInvalid: not signed, changed since, meant for another place, or there is no key to tell;
            which of these it is stands in the log
    """
    reason = _find_fault(what, document, expected)
    if reason is None:
        return
    journal.note("signature_invalid", document=named, reason=reason)
    if not has_key():
        raise SignatureInvalid(
            "No model can be used here: the function has no key to check the portal's signatures with. "
            "Tell the operators."
        )
    raise SignatureInvalid(
        f"{named} was not written by the portal, or was changed since, so it is not used. "
        "Make the version live again, or tell the operators."
    )


def message(what: str, document: Mapping[str, Any]) -> bytes:
    """What is signed of a document, its own signature left out. Raises: ValueError: JSON cannot write it."""
    content = {name: value for name, value in document.items() if name != "signature"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return f"portico {what} 1\n{hashlib.sha256(text.encode('ascii')).hexdigest()}".encode("ascii")


def _find_fault(what: str, document: Mapping[str, Any], expected: Mapping[str, Any]) -> str | None:
    """Why the signature does not count, for the log; None where it does."""
    if not has_key():
        return (
            f"no key: set PORTICO_MANIFEST_KEY to a secret of at least {KEY_MIN_CHARACTERS} characters, "
            "or PORTICO_MANIFEST_KMS_KEY"
        )
    signature = document.get("signature")
    if not isinstance(signature, Mapping):
        return "it is not signed"
    verify = _verifier(signature.get("by"))
    if verify is None:
        return f"it is signed by {str(signature.get('by'))[:40]!r}, for which there is no key here"
    try:
        mac = base64.b64decode(signature.get("mac") or "", validate=True)
        signed = message(what, document)
    except (binascii.Error, TypeError, ValueError, RecursionError):
        return "the signature or the document cannot be read"
    if len(mac) != hashlib.sha256().digest_size or not verify(signed, mac):
        return "the signature is that of another document or key"
    other = [name for name, value in expected.items() if document.get(name) != value]
    return f"it was signed for another place: {', '.join(other)}" if other else None


def has_key() -> bool:
    """Whether this function can tell what the portal wrote: the one that verifies uploads cannot."""
    return bool(_local_key() or _kms_key())


def _local_key() -> str:
    key = os.environ.get("PORTICO_MANIFEST_KEY", "")
    return key if len(key) >= KEY_MIN_CHARACTERS else ""


def _kms_key() -> str:
    return os.environ.get("PORTICO_MANIFEST_KMS_KEY", "")


def _verifier(by: object) -> Callable[[bytes, bytes], bool] | None:
    if by == "hmac-sha256" and _local_key():
        return _verify_here
    if by == "kms" and _kms_key():
        return _verify_with_kms
    return None


def _verify_here(signed: bytes, mac: bytes) -> bool:
    return hmac.compare_digest(hmac.digest(_local_key().encode(), signed, "sha256"), mac)


def _verify_with_kms(signed: bytes, mac: bytes) -> bool:
    """KMS's own verdict. Where KMS is away or refuses this function, an exception tells."""
    if signed_request.is_enough():
        return _verify_without_boto3(signed, mac)
    from botocore.exceptions import ClientError

    client = _kms_client(os.environ.get("AWS_ENDPOINT_URL"))
    try:
        answer = client.verify_mac(KeyId=_kms_key(), MacAlgorithm="HMAC_SHA_256", Message=signed, Mac=mac)
    except ClientError as error:
        if error.response["Error"]["Code"] == _KMS_INVALID:
            return False
        raise
    return bool(answer["MacValid"])


def _verify_without_boto3(signed: bytes, mac: bytes) -> bool:
    body = json.dumps(
        {
            "KeyId": _kms_key(),
            "MacAlgorithm": "HMAC_SHA_256",
            "Message": base64.b64encode(signed).decode(),
            "Mac": base64.b64encode(mac).decode(),
        }
    ).encode()
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "TrentService.VerifyMac"}
    problem: OSError | None = None
    for attempt in range(_TRIES):
        time.sleep(_FIRST_WAIT_S * (2**attempt - 1))
        try:
            answer = _kms_connection.ask("POST", "/", body=body, headers=headers, timeout_s=_KMS_S)
        except OSError as caught:
            problem = caught
            continue
        if answer.status < 500:
            return _read_verdict(answer.status, json.loads(answer.body))
        problem = OSError(f"KMS answered {answer.status}.")
    raise OSError("KMS could not be asked for a signature.") from problem


def _read_verdict(status: int, answer: Mapping[str, Any]) -> bool:
    kind = str(answer.get("__type", "")).rpartition("#")[2]
    if status != 200 and kind != _KMS_INVALID:
        raise OSError(f"KMS answered {status} {kind}.")
    return status == 200 and bool(answer["MacValid"])


def forget_clients() -> None:
    """For a process that was forked off: its connections are to be its own."""
    _kms_client.cache_clear()
    _kms_connection.close()


@functools.lru_cache(maxsize=4)
def _kms_client(endpoint: str | None) -> Any:
    import boto3
    from botocore.config import Config

    config = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3})
    return boto3.client("kms", endpoint_url=endpoint, config=config)
