"""Signs what the functions believe: manifests, and the pointers to live versions.

A manifest or a pointer that somebody merely wrote into the bucket lacks the signature, and no function serves it.
Source: docs/contract.md section 5, "Signatures".
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any, Literal

from django.conf import settings

from portal.errors import BackendFault
from portal.gateways.aws import aws_errors, client

What = Literal["manifest", "live"]


def sign(what: What, document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with its signature, by the key of the settings.

    Raises: GatewayError: there is no key, or KMS does not sign
    """
    unsigned = {name: value for name, value in document.items() if name != "signature"}
    message = make_message(what, unsigned)
    if settings.PORTICO_MANIFEST_KMS_KEY:
        signature = {"by": "kms", "mac": _sign_with_kms(message)}
    elif settings.PORTICO_MANIFEST_KEY:
        signature = {"by": "hmac-sha256", "mac": sign_with_secret(message, settings.PORTICO_MANIFEST_KEY)}
    else:
        raise BackendFault(
            "The portal has no key to vouch for models with. Tell the person who runs it.",
            detail="Neither PORTICO_MANIFEST_KEY nor PORTICO_MANIFEST_KMS_KEY is set.",
        )
    return {**unsigned, "signature": signature}


def sign_pointer(*, slug: str, number: int, sha256: str, capture: str) -> dict[str, Any]:
    """The content of a model's live.json. `capture`: docs/contract.md section 10. Raises: GatewayError."""
    return sign("live", {"slug": slug, "version": number, "sha256": sha256, "capture": capture})


def make_message(what: What, unsigned: Mapping[str, Any]) -> bytes:
    """What is signed. Its length does not depend on the document's: KMS takes up to 4 KB."""
    written = json.dumps(unsigned, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return f"portico {what} 1\n{hashlib.sha256(written.encode('ascii')).hexdigest()}".encode("ascii")


def sign_with_secret(message: bytes, secret: str) -> str:
    """HMAC-SHA256 in Base64."""
    return base64.b64encode(hmac.digest(secret.encode("utf-8"), message, "sha256")).decode("ascii")


def _sign_with_kms(message: bytes) -> str:
    with aws_errors("signing with KMS"):
        answer = client("kms").generate_mac(
            KeyId=settings.PORTICO_MANIFEST_KMS_KEY, Message=message, MacAlgorithm="HMAC_SHA_256"
        )
    return base64.b64encode(answer["Mac"]).decode("ascii")
