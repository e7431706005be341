"""A model owner at the console, and a cloud side stood in by functions."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from portal.accounts import roles
from portal.errors import BackendAway
from portal.gateways import inference, storage
from portal.gateways.contract import Replay
from portal.gateways.inference import Verified
from portal.registry.actions import checking
from portal.scanner.report import ScanReport
from tests.portal.factories import make_manifest, make_user

PNG = b"\x89PNG\r\n\x1a\n..."


@pytest.fixture
def owner(client: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr(storage, "browser_origin", lambda: "https://bucket.example")
    client.force_login(make_user("olga", roles.MODEL_OWNER))
    return client


@pytest.fixture
def quiet_cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    """Storing works, the bucket is empty, and every file passes the scan and the check."""
    for name in ("put_file", "put_json", "put_page", "get_json", "promote", "delete"):
        monkeypatch.setattr(storage, name, lambda *args, **kwargs: None)
    monkeypatch.setattr(storage, "size_of", lambda key: 7)
    monkeypatch.setattr(storage, "get_stream", lambda key: (7, iter([b"a model"])))
    monkeypatch.setattr(checking, "scan_file", lambda path: ScanReport(ok=True, format="pickle"))
    monkeypatch.setattr(inference, "replay", lambda **kwargs: Replay(rows=3, moved=[]))
    monkeypatch.setattr(inference, "answer_rows", lambda **kwargs: [])
    monkeypatch.setattr(inference, "verify", lambda **kwargs: Verified(make_manifest(), None))


def away(*args: Any, **kwargs: Any) -> Any:
    raise BackendAway("The prediction service cannot be reached just now.", detail="secret host name")


def model_file(content: bytes = b"a model") -> SimpleUploadedFile:
    return SimpleUploadedFile("model.pkl", content)
