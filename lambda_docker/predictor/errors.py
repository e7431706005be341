"""What can go wrong and is expected to, with the codes of docs/contract.md §3.

    Fault                    answered as {"ok": false, "error": {code, message, fields}}
    ├── BadRequest           bad_request         the event or the call has the wrong shape
    ├── BadInput             bad_input           a value cannot be used; `fields` says which and why
    ├── UnknownModel         unknown_model
    ├── UnknownVersion       unknown_version
    ├── ChecksumMismatch     checksum_mismatch   the bytes are not those that were verified
    ├── SignatureInvalid     signature_invalid   the manifest or the pointer was not written by the portal
    ├── ModelBroken          model_broken        the model does not load
    ├── PredictionFailed     prediction_failed   the model raised on these values
    ├── LargeAway            away                the large function does not answer; the call may be repeated
    └── Rejected             rejected            verify will not have this upload
    CallRefused              answered by the public API alone, with its status: docs/contract.md §8
    ├── UnknownJob           unknown_job         404
    ├── KeyTaken             key_taken           409: the idempotency key was used for something else
    └── MachineAway          away                503: Step Functions does not answer; the call may be repeated
    BatchRefused             raised out of the function, so that Step Functions sees its name
    ObjectMissing            inside the package only: there is no object of that key
    ObjectTooLarge           inside the package only: the object is over the caller's limit
    NeedsLarge               inside the package only: the small function cannot answer this from tables
    LargeFailed              the large function ended with an exception: a bug here too

Anything else is a bug and raises.
"""

from collections.abc import Mapping


class Fault(Exception):
    """An expected fault; `message` is a sentence fit for a user."""

    code = "fault"
    status = 500

    def __init__(self, message: str, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fields = dict(fields or {})

    def to_json(self) -> dict:
        error: dict = {"code": self.code, "message": self.message}
        if self.fields:
            error["fields"] = self.fields
        return {"ok": False, "error": error}


class BadRequest(Fault):
    code, status = "bad_request", 400


class BadInput(Fault):
    code, status = "bad_input", 400


class UnknownModel(Fault):
    code, status = "unknown_model", 404


class UnknownVersion(Fault):
    code, status = "unknown_version", 404


class ChecksumMismatch(Fault):
    code, status = "checksum_mismatch", 500


class SignatureInvalid(Fault):
    code, status = "signature_invalid", 500


class ModelBroken(Fault):
    code, status = "model_broken", 500


class PredictionFailed(Fault):
    code, status = "prediction_failed", 400


class LargeAway(Fault):
    code, status = "away", 503


class Rejected(Fault):
    code, status = "rejected", 400


class CallRefused(Exception):
    """A call of the public API that cannot be answered as it is; `message` is a sentence for its caller."""

    code = "refused"
    status = 400

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class UnknownJob(CallRefused):
    code, status = "unknown_job", 404


class KeyTaken(CallRefused):
    code, status = "key_taken", 409


class MachineAway(CallRefused):
    code, status = "away", 503


FILE_GONE = "The file is no longer there. Upload it again."


class BatchRefused(Exception):
    """A batch that cannot go on; the message is a sentence for the person who sent the file."""


class ObjectMissing(Exception):
    """There is no object of that key, or this function may not see it."""


class ObjectTooLarge(Exception):
    """The object is over the caller's limit; `size_bytes` says how large it is."""

    def __init__(self, size_bytes: int) -> None:
        super().__init__(f"{size_bytes} bytes")
        self.size_bytes = size_bytes


class NeedsLarge(Exception):
    """The small function cannot answer this; `reason` is a word for the log: no_tables, row, operation or drop_in."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class LargeFailed(Exception):
    """The large function ended with an exception of that `kind`; the text is its own, and may quote an input value."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
