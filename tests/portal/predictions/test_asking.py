"""Which function is asked about a version: the small one if it has tables, as the check found out."""

from typing import Any

import pytest

from portal.errors import BackendAway
from portal.gateways import inference
from portal.predictions.actions import predict_one
from portal.predictions.models import Prediction
from tests.portal.factories import make_manifest, make_user, make_version

pytestmark = pytest.mark.django_db

COMPILED = {"sha256": "1" * 64, "size_bytes": 690, "reason": None}
OLDER_RELEASE: dict[str, Any] = {}
ROW = {"bill_length_mm": 44.5, "island": "Dream", "year": None}


@pytest.mark.parametrize(
    ("compiled", "function"),
    [
        (COMPILED, "small"),
        ({**COMPILED, "sha256": None, "reason": "it was not asked"}, "large"),
        (OLDER_RELEASE, "large"),
    ],
)
def test_version_is_asked_at_the_function_that_can_answer_it(
    monkeypatch: pytest.MonkeyPatch, settings: Any, compiled: dict[str, Any], function: str
):
    settings.PORTICO_PREDICT_FUNCTION, settings.PORTICO_PREDICT_SMALL_FUNCTION = "large", "small"
    asked = []

    def invoke(name: str, event: dict[str, Any]) -> None:
        asked.append((name, event["operation"]))
        raise BackendAway("Nobody answers.")

    monkeypatch.setattr(inference, "_invoke", invoke)
    version = make_version(manifest=make_manifest(compiled=compiled))

    with pytest.raises(BackendAway):
        predict_one(version, ROW, by=make_user())

    assert asked == [(function, "predict")]
    assert Prediction.objects.get().state == "failed"
