"""The emulator killed under a batch, as the portal sees it: the batch says so, keeps its parts, and is resumed."""

import csv
import io
import time
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from deploy.embedded.processes import Supervisor
from deploy.state import StateFolder
from portal.gateways import aws
from portal.gateways.executions import INTERRUPTED
from portal.predictions import actions
from portal.predictions.models import Batch
from tests.deploy.test_batch_restarts import Place
from tests.portal.factories import make_manifest, make_model, make_user, make_version
from tests.predictor.factories import array_model, publish

pytestmark = [pytest.mark.embedded, pytest.mark.django_db]
ROWS = 5 * 1024**2 * 12 // 33  # of 33 bytes, in parts of 5 MiB: enough for the kill to come before the last
WITHIN_S = 90


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Any:
    """An emulator of its own, which the portal's gateways speak to."""
    with Supervisor() as supervisor:
        made = Place(supervisor, StateFolder(tmp_path_factory.mktemp("restarts")))
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
            if name.startswith("PORTICO_"):
                setattr(settings, name, value)
        forget_clients()
        yield made
        forget_clients()


def forget_clients() -> None:
    for client in (aws.client, aws.quick_lambda, aws.signing_client):
        client.cache_clear()


def wait_for(batch: Batch, is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not is_so():
        assert time.monotonic() < deadline, f"the batch is {batch.state}: {batch.error} {batch.progress}"
        actions.refresh_batch(batch)
        time.sleep(0.1)


def test_batch_under_a_killed_emulator_says_so_and_is_resumed_to_its_end(place: Any):
    sha256 = publish(array_model([0, 1]), slug="restarted")["sha256"]
    manifest = make_manifest(output={"type": "binary", "classes": [0, 1], "probabilities": True})
    version = make_version(make_model("restarted"), manifest=manifest, sha256=sha256)
    lines = b"".join(b"%08d.5,0.123456789,1.234567891\n" % n for n in range(ROWS))
    batch = actions.open_batch(version, file_name="x.csv", size_bytes=len(lines), by=make_user())
    actions.store_input(batch, io.BytesIO(b"x0,x1,x2\n" + lines))
    actions.start_batch(batch)
    wait_for(batch, lambda: batch.progress.get("parts_done", 0) > 0)

    place.kill()
    wait_for(batch, lambda: batch.has_ended)

    assert (batch.state, batch.error) == ("failed", INTERRUPTED)
    kept = batch.progress["parts_done"]
    actions.resume_batch(batch)
    wait_for(batch, lambda: batch.is_done)
    with urllib.request.urlopen(actions.link_to_result(batch), timeout=60) as answer:  # noqa: S310
        result = list(csv.DictReader(io.TextIOWrapper(answer, "utf-8")))
    assert kept > 0
    assert (batch.scored, len(result), batch.attempt) == (ROWS, ROWS, 2)
    assert [row["x0"] for row in result[:: ROWS // 7]] == [f"{n:08d}.5" for n in range(0, ROWS, ROWS // 7)]
