"""The public API's batches that do not fit in a call: start one, ask after it, cancel it.

    POST …/[{model}/]batchPrediction    GET, DELETE …/[{model}/]batchPrediction/{job}

Source: docs/contract.md §8; RFC 7240 (Prefer: respond-async)
"""

import hashlib
import json
import time
import uuid
from collections.abc import Mapping
from typing import Any

from predictor import bucket, keys
from predictor.api_jobs import QUEUED, UNFINISHED, ApiJob
from predictor.batch.wishes import Wishes
from predictor.errors import BadRequest, KeyTaken, MachineAway, UnknownJob
from predictor.events import ApiRequest, Reply
from predictor.limits import limit
from predictor.loaded_model import LoadedModel

POLL_SECONDS = "2"

_KEY_MAX_CHARACTERS = 200
# The whole job goes to every part of the batch.
_WISHES_MAX_BYTES = 32 * 1024
_WISHES = ("reading", "columns", "bands", "give_up_share", "result")
_JOBS = uuid.uuid5(uuid.NAMESPACE_URL, "portico:jobs")
_NO_FILE = "There is no file of that fileKey."
_NO_JOB = "There is no job of that id, or it is not yours, or its files were kept long enough and are gone."


def is_job(request: ApiRequest, model: LoadedModel, body: Mapping[str, Any], *, file_key: str) -> bool:
    """Whether a file is scored beside the call: as the caller prefers, or because no call can do it.

    Raises: BadRequest: there is no file of that key; only a call can use this model
    """
    needs_job = any(body.get(name) is not None for name in _WISHES)
    if model.version is None:
        # A job goes on with the version that it began with, and this model has none.
        if needs_job:
            raise BadRequest(f"Name a model in the path: the one without a name takes no {', '.join(_WISHES)}.")
        return False
    if needs_job or _prefers_job(request):
        return True
    found = bucket.head(file_key)
    if found is None:
        raise BadRequest(_NO_FILE)
    return found.size_bytes > limit("PORTICO_INLINE_BATCH_MAX_BYTES")


def start(request: ApiRequest, model: LoadedModel, body: Mapping[str, Any], *, file_key: str) -> Reply:
    """Start a job, or find the one that was started by the same idempotency key.

    Raises: BadRequest; KeyTaken; MachineAway
    """
    owner, key = keys.read_owner(request.claims), _read_idempotency_key(request)
    asked = _digest(body, path=request.segments)
    job_id = str(uuid.uuid5(_JOBS, f"{owner}\n{key}") if key else uuid.uuid4())
    job = ApiJob.find(owner, job_id) if key else None
    if job is None:
        job = _make_job(model, body, job=job_id, owner=owner, file_key=file_key, asked=asked)
        if not job.save():
            job = ApiJob.find(owner, job_id) or job  # the same call, at the same moment
    if job.asked != asked:
        raise KeyTaken("This Idempotency-Key was used for another request. Send a key of its own with each request.")
    job.start(request_id=request.request_id)
    headers = {"Location": f"{request.url}/{job_id}", "Retry-After": POLL_SECONDS}
    if _prefers_job(request):
        headers["Preference-Applied"] = "respond-async"
    answer = {"job": job_id, "status": QUEUED, "statusUrl": headers["Location"]}
    return Reply(status=202, body=answer, headers=headers, model_tag=job.tag())


def show(request: ApiRequest) -> Reply:
    """How far a job is. Raises: UnknownJob; MachineAway."""
    job = _find_job(request)
    status = job.status()
    headers = {"Retry-After": POLL_SECONDS} if status["status"] in UNFINISHED else {}
    return Reply(status=200, body=status, headers={**headers, "Cache-Control": "no-store"}, model_tag=job.tag())


def cancel(request: ApiRequest) -> Reply:
    """End a job; one that has ended stays as it is. Raises: UnknownJob; MachineAway."""
    job = _find_job(request)
    if not job.cancel():
        raise MachineAway("The job is only just starting and cannot be cancelled yet. Please try again.")
    return Reply(status=204, body=None, model_tag=job.tag())


def _find_job(request: ApiRequest) -> ApiJob:
    """The job of the path, if it is the caller's and the path's model is the job's."""
    try:
        job = ApiJob.find(keys.read_owner(request.claims), keys.read_uuid(request.segments[-1]))
    except BadRequest:
        raise UnknownJob(_NO_JOB) from None
    named = request.segments[-3] if len(request.segments) > 2 else ""
    if job is None or (keys.is_slug(named) and named != job.model):
        raise UnknownJob(_NO_JOB)
    return job


def _make_job(
    model: LoadedModel, body: Mapping[str, Any], *, job: str, owner: str, file_key: str, asked: str
) -> ApiJob:
    if model.version is None:
        raise BadRequest("Name a model in the path: the one without a name is asked within a call only.")
    if bucket.head(file_key) is None:
        raise BadRequest(_NO_FILE)
    return ApiJob(
        job=job,
        owner=owner,
        file_key=file_key,
        model=model.slug,
        version=model.version,
        sha256=model.sha256,
        wishes=_read_wishes(body),
        asked=asked,
        created=time.time(),
    )


def _read_wishes(body: Mapping[str, Any]) -> dict[str, Any]:
    wishes = {name: body[name] for name in _WISHES if body.get(name) is not None}
    Wishes.from_job(wishes)
    if len(json.dumps(wishes)) > _WISHES_MAX_BYTES:
        raise BadRequest(f"What is said about the file is too long: {', '.join(wishes)}.")
    return wishes


def _prefers_job(request: ApiRequest) -> bool:
    preferences = request.headers.get("prefer", "").replace(";", ",").split(",")
    return "respond-async" in {preference.strip().lower() for preference in preferences}


def _read_idempotency_key(request: ApiRequest) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    if not key.strip() or not key.isprintable() or len(key) > _KEY_MAX_CHARACTERS:
        raise BadRequest(f"The Idempotency-Key must have 1 to {_KEY_MAX_CHARACTERS} printable characters.")
    return key


def _digest(body: Mapping[str, Any], *, path: tuple[str, ...]) -> str:
    """The same for the same request, whatever the order of its body."""
    return hashlib.sha256(json.dumps([path, body], sort_keys=True).encode()).hexdigest()
