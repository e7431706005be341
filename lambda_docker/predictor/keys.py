"""Object keys, made from checked ids and never taken from a caller.

Source: docs/contract.md §2
"""

import functools
import re
from collections.abc import Mapping

from predictor.errors import BadRequest

DROP_IN_KEY = "model/binary_sklearn_model.pkl"
RESERVED_PREFIXES = frozenset({"quarantine", "models", "model", "batches", "captures", "pages"})

# Whose jobs they are where nobody checks who calls: on an emulator, or without a user pool.
ANYONE = "00000000-0000-0000-0000-000000000000"

_FILE_KEY_MAX_BYTES = 900
_CALLERS = "portico:callers"
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_DIGITS = re.compile(r"[0-9]{1,20}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MODEL_FILES = frozenset({"model.pkl", "model.joblib", "model.skops", "model.zip"})


def is_slug(value: object) -> bool:
    return isinstance(value, str) and len(value) <= 100 and _has_form(_SLUG, value)


def read_slug(value: object) -> str:
    """The slug, unchanged. Raises: BadRequest: it is not one."""
    if not is_slug(value):
        raise BadRequest("The model must be named by its slug: small letters, digits and single hyphens.")
    return str(value)


# A warm process is asked for the same few models all day.
@functools.lru_cache(maxsize=256)
def _has_form(form: "re.Pattern[str]", text: str) -> bool:
    return form.fullmatch(text) is not None


def read_version(value: object) -> int | None:
    """The version's number, or None for the live one. Raises: BadRequest: neither."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise BadRequest("The version must be a whole number from 1 on, or be left out for the live one.")
    return value


def read_sha256(value: object) -> str | None:
    """The checksum in small hexadecimal digits, or None. Raises: BadRequest: neither."""
    if value is None:
        return None
    if not isinstance(value, str) or len(value) != 64 or not _has_form(_SHA256, value):
        raise BadRequest("The checksum must be a SHA-256 in 64 small hexadecimal digits.")
    return value


def read_uuid(value: object) -> str:
    """The UUID in its usual written form. Raises: BadRequest: it is not one."""
    # Only here and below: a prediction needs no UUID, and each start would wait for the module.
    import uuid

    try:
        written = str(uuid.UUID(value)) if isinstance(value, str) else ""
    except ValueError:
        written = ""
    if not written or written != value:
        raise BadRequest("The id must be a UUID.")
    return written


def read_user_id(value: object) -> str:
    """A user's id: digits or a UUID. Raises: BadRequest: neither."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if isinstance(text, str) and _DIGITS.fullmatch(text):
        return text
    return read_uuid(text)


def read_file_key(value: object, *, claims: Mapping[str, str] | None = None) -> str:
    """The key of an upload of the original tool's kind, unchanged.

    Args:   claims: of whoever calls; the key must then lie inside their own folder
    Raises: BadRequest, without saying what the bucket holds
    """
    if not isinstance(value, str) or not value:
        raise BadRequest("fileKey is missing: name the uploaded file, as <user>/<file>.csv.")
    segments = value.split("/")
    is_plain = value.isprintable() and "\\" not in value and len(value.encode()) <= _FILE_KEY_MAX_BYTES
    if not is_plain or len(segments) < 2 or any(segment in ("", ".", "..") for segment in segments):
        raise BadRequest("fileKey must have the form <user>/<file>.csv.")
    own = None if claims is None else {claims.get("cognito:username"), claims.get("sub")} - {None, ""}
    if segments[0] in RESERVED_PREFIXES or (own is not None and segments[0] not in own):
        raise BadRequest("fileKey must lie inside your own folder.")
    return value


def inline_result(file_key: str) -> str:
    """Where a file of the original tool's kind is scored into, if that is done within the call."""
    folder, _, file = file_key.rpartition("/")
    return f"{folder}/{file.rpartition('.')[0] or file}_predictions.csv"


def read_owner(claims: Mapping[str, str] | None) -> str:
    """Whose jobs a caller's are, as a user's id: the `sub` of a Cognito user is a UUID, that of others becomes one."""
    if claims is None:
        return ANYONE
    named = claims.get("sub") or claims.get("cognito:username")
    if not named:
        raise BadRequest("Your token does not say who you are: it has no `sub`.")
    try:
        return read_uuid(named)
    except BadRequest:
        import uuid

        return str(uuid.uuid5(uuid.uuid5(uuid.NAMESPACE_URL, _CALLERS), str(named)))


def quarantine(upload: str) -> str:
    return f"quarantine/{upload}"


def live_pointer(slug: str) -> str:
    return f"models/{slug}/live.json"


def manifest(slug: str, version: int) -> str:
    return f"models/{slug}/{version}/manifest.json"


def tables(slug: str, version: int) -> str:
    return f"models/{slug}/{version}/compiled.json"


def model_file(slug: str, version: int, file: object) -> str | None:
    """The key of a version's model file, or None where the manifest names a file that cannot be one."""
    return f"models/{slug}/{version}/{file}" if file in _MODEL_FILES else None


def batch(user: str, batch_id: str, name: str) -> str:
    return f"batches/{user}/{batch_id}/{name}"
