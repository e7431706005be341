"""From the real bucket into the history: calls as the functions write them, and jobs that the real API has started."""

from __future__ import annotations

import io
import json
import time
import urllib.request
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from portal.accounts.cognito import people
from portal.gateways import aws, storage
from portal.predictions import actions
from portal.predictions.models import Batch, Prediction
from portal.registry import actions as registry
from portal.registry.models import ModelVersion
from tests.conftest import Stack
from tests.deploy.sending import send
from tests.portal.captured import ADA, key_at, lines, make_batch_call, make_call, make_job_call, make_refusal
from tests.portal.predictions.test_batches_on_the_stack import publish

pytestmark = pytest.mark.django_db
FILE = b"var_1,var_2,var_3,var_4\n1,2,3,4\n5,6,7,8\n"
ROW = {"var_1": 1, "var_2": 2, "var_3": 3, "var_4": 4}
NOBODY = "00000000-0000-0000-0000-000000000000"
WITHIN_S = 60


@pytest.fixture
def version(cloud: None, original_model: Any) -> ModelVersion:
    version = publish(original_model.read_bytes())
    registry.make_live(version, by=version.created_by)
    return version


def leave(*calls: Any) -> None:
    """An object under captures/, written just now."""
    storage.put_file(key_at(datetime.now(UTC), stream=uuid.uuid4().hex[:8]), io.BytesIO(lines(*calls)))


def named(version: ModelVersion, **facts: Any) -> dict[str, Any]:
    at = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return {"model": version.model.slug, "version": version.number, "sha256": version.sha256, "at": at} | facts


def post(stack: Stack, version: ModelVersion, call: str, body: Any, **headers: str) -> dict[str, Any]:
    url = f"{stack.environment['PORTICO_API_URL']}/{version.model.slug}/{call}"
    headers = {"Content-Type": "application/json", **headers}
    status, _, answer = send("POST", url, body=json.dumps(body).encode(), headers=headers)
    assert status in (200, 202), answer
    return dict(json.loads(answer))


def upload() -> str:
    key = f"{NOBODY}/{int(time.time() * 1000)}_two rows.csv"
    storage.put_file(key, io.BytesIO(FILE))
    return key


def test_calls_in_the_bucket_are_in_the_history_of_the_one_who_called(
    version: ModelVersion, stack: Stack, client: Client
):
    asked = {"operation": "predict", "model": version.model.slug, "row": ROW}
    function = stack.environment["PORTICO_PREDICT_FUNCTION"]
    answer = json.loads(aws.client("lambda").invoke(FunctionName=function, Payload=json.dumps(asked))["Payload"].read())
    told = {name: answer[name] for name in ("output", "prediction", "start", "milliseconds")}
    leave(
        make_call(**named(version, inputs=ROW, **told)),
        make_refusal(**named(version, inputs={"var_1": "x"}, source="program")),
        b'{"v": 1, "id": "cut o',
    )

    done = actions.ingest_captures()

    assert (done.taken, done.unreadable) == (2, 1)
    ada = people.find(ADA["sub"])
    assert ada is not None
    own = actions.predict_one(version, ROW, by=ada)
    kept = Prediction.objects.get(source="page")
    assert (kept.outcome, kept.probabilities, kept.band_label) == (own.outcome, own.probabilities, own.band_label)
    people.admit({"sub": ADA["sub"], "email": ADA["email"], "email_verified": True, "cognito:groups": ["viewer"]})
    client.force_login(ada)
    page = client.get("/history/").content.decode()
    assert page.count("Published page</td>") == 1 and page.count("Program</td>") == 1


def test_pointer_that_says_what_is_kept_is_believed_by_the_functions(version: ModelVersion, stack: Stack):
    version.model.capture = "outputs"
    version.model.save()
    registry.mark(version.model)

    assert registry.publish(version.model) is True

    time.sleep(2)  # the functions look at the pointer again
    assert "pred_proba" in post(stack, version, "singlePrediction", ROW)
    pointer = storage.get_json(storage.live_key(version.model.slug))
    assert (pointer or {})["capture"] == "outputs"


def test_job_of_the_real_api_is_followed_to_its_end_and_handed_out(version: ModelVersion, stack: Stack, client: Client):
    key = upload()
    started = post(stack, version, "batchPrediction", {"fileKey": key}, Prefer="respond-async")
    job = uuid.UUID(started["job"])
    leave(make_job_call(job, **named(version, file=key, owner=NOBODY, source="program", person=None)))

    deadline = time.monotonic() + WITHIN_S
    while actions.ingest_captures() and not (batch := Batch.objects.get(pk=job)).has_ended:
        assert time.monotonic() < deadline, batch.state
        time.sleep(0.2)

    assert (batch.state, batch.rows, batch.scored, batch.file_name) == ("done", 2, 2, "two rows.csv")
    link = actions.link_to_result(batch)
    assert link is not None
    with urllib.request.urlopen(link, timeout=10) as answer:  # noqa: S310
        assert answer.read().startswith(b"var_1,var_2,var_3,var_4,prediction")


def test_what_lies_in_somebody_s_own_folder_is_deleted_with_the_batch_that_it_was_sent_for(version: ModelVersion):
    stem = f"{ADA['sub']}/{int(time.time() * 1000)}_colony"
    keys = [f"{stem}.csv", f"{stem}_predictions.csv"]
    for key in keys:
        storage.put_file(key, io.BytesIO(FILE))
    leave(make_batch_call(**named(version, file=keys[0], result=keys[1])))
    actions.ingest_captures()
    before = [storage.size_of(key) for key in keys]
    Batch.objects.update(created_at=timezone.now() - timedelta(days=31))

    assert actions.purge_batches() == 1

    assert before == [len(FILE), len(FILE)]
    assert [storage.size_of(key) for key in keys] == [None, None]


def test_job_of_the_real_api_that_was_cancelled_is_cancelled_here(version: ModelVersion, stack: Stack):
    key = f"{NOBODY}/{int(time.time() * 1000)}_many.csv"
    storage.put_file(key, io.BytesIO(FILE[: FILE.index(b"\n") + 1] + b"1.5,2.5,3.5,4.5\n" * 2_000_000))
    started = post(stack, version, "batchPrediction", {"fileKey": key}, Prefer="respond-async")
    leave(make_job_call(uuid.UUID(started["job"]), **named(version, file=key, owner=NOBODY, person=None)))
    actions.ingest_captures()

    status, _, _ = send("DELETE", started["statusUrl"])

    assert status == 204
    deadline = time.monotonic() + WITHIN_S
    while not (batch := Batch.objects.get(pk=started["job"])).has_ended:
        assert time.monotonic() < deadline, batch.state
        actions.ingest_captures()
        time.sleep(0.2)
    assert batch.state == "cancelled"


def test_file_scored_within_a_call_of_the_real_api_is_handed_out(version: ModelVersion, stack: Stack):
    key = upload()
    post(stack, version, "batchPrediction", {"fileKey": key})
    result = key.removesuffix(".csv") + "_predictions.csv"
    leave(make_batch_call(**named(version, file=key, result=result, id="written-by-hand")))

    actions.ingest_captures()

    link = actions.link_to_result(Batch.objects.get(call_id="written-by-hand"))
    assert link is not None
    with urllib.request.urlopen(link, timeout=10) as answer:  # noqa: S310
        assert b"predicted_probability_1" in answer.read()


def test_result_that_the_bucket_has_dropped_is_no_longer_offered(version: ModelVersion):
    result = f"{NOBODY}/1764417600123_gone_predictions.csv"
    leave(make_batch_call(**named(version, result=result)))

    actions.ingest_captures()

    assert actions.link_to_result(Batch.objects.get()) is None
    assert Batch.objects.get().created_at > timezone.now() - timedelta(minutes=5)
