"""Pages instead of pages: what happened, what to do, and the reference under which the log knows more."""

import contextlib
import logging
import re
from datetime import UTC, datetime

import pytest
from django.core.exceptions import SuspiciousOperation
from django.db import OperationalError, connection
from django.http import HttpResponse
from django.shortcuts import render
from django.test import Client, RequestFactory
from django.urls import reverse

from portal.accounts import roles
from portal.accounts.models import User
from portal.errors import BackendAway, BackendFault
from portal.middleware import RequestIdMiddleware
from portal.predictions import actions
from portal.predictions.models import Prediction
from portal.registry.models import ModelVersion
from tests.portal.factories import make_prediction, make_user, make_version

pytestmark = pytest.mark.django_db
GOOD = {"f0": "44.5", "f1": "Dream", "f2": "2008"}
SECRET = "a-value-that-somebody-typed"


@pytest.fixture
def ada(client: Client) -> Client:
    """Signed in; what breaks becomes a page, as it does outside tests."""
    client.force_login(make_user("ada", roles.MODEL_OWNER))
    client.raise_request_exception = False
    make_version()
    return client


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch):
    """Have the next prediction end in this exception."""

    def fail(error: Exception) -> None:
        def predict_one(*asked, **more):
            raise error

        monkeypatch.setattr(actions, "predict_one", predict_one)

    return fail


def words(response: HttpResponse) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode().partition("<main")[2]))


def without_database(execute, sql, params, many, context):
    raise OperationalError("the database is away: secret-host")


@pytest.mark.parametrize(
    ("ask", "status", "says"),
    [
        (lambda client: client.get("/nowhere/"), 404, "Nothing is here"),
        (lambda client: client.get("/admin/accounts/user/"), 403, "An administrator can change that"),
        (lambda client: client.put("/models/penguins/"), 405, "it takes no PUT"),
        (lambda client: client.get("/", headers={"Host": "elsewhere.example"}), 400, "PORTICO_ALLOWED_HOSTS"),
        (lambda client: client.post("/models/penguins/", {"f0": "x" * 2**21}), 413, "Send less of it"),
    ],
)  # fmt: skip
def test_page_says_what_to_do_next_and_gives_its_reference(ada: Client, ask, status: int, says: str):
    before = datetime.now(UTC)

    response = ask(ada)

    assert response.status_code == status
    assert says in words(response)
    assert f"<code>{response['X-Request-Id']}</code>" in response.content.decode()
    shown = re.search(r'<time datetime="([^"]+)">', response.content.decode()).group(1)
    assert before <= datetime.fromisoformat(shown) <= datetime.now(UTC)


def test_page_that_is_not_there_needs_no_sign_in():
    response = Client().get("/nowhere/")

    assert response.status_code == 404
    assert "Nothing is here" in words(response)
    assert "Sign out" not in words(response)


@pytest.mark.parametrize("path", ["/nowhere/", "/admin/accounts/user/"])
def test_error_page_holds_to_the_strict_policy(ada: Client, path: str):
    response = ada.get(path)

    page = response.content.decode()
    assert "default-src 'none'" in response["Content-Security-Policy"]
    assert not re.search(r"<style|<script(?! src=)|\sstyle=|\son[a-z]+=", page)


def test_method_that_a_page_does_not_take_is_answered_with_those_that_it_does(ada: Client):
    assert ada.put("/models/penguins/")["Allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize(
    ("headers", "says"),
    [
        ({}, "Allow cookies for this site"),
        ({"Origin": "https://elsewhere.example"}, "PORTICO_ORIGINS"),
        ({"Cookie": f"csrftoken={'a' * 32}"}, "Copy what you typed".lower()),
    ],
)
def test_form_that_is_not_safe_to_take_says_which_way_to_mend_it(headers: dict[str, str], says: str):
    client = Client(enforce_csrf_checks=True)

    response = client.post(reverse("account_login"), {"username": "ada", "password": SECRET}, headers=headers)

    assert response.status_code == 403
    assert says in words(response)
    assert response["X-Request-Id"] in words(response)
    assert SECRET not in response.content.decode()


def test_request_that_is_suspicious_says_nothing_of_why(ada: Client, failing):
    failing(SuspiciousOperation("a session was tampered with"))

    response = ada.post("/models/penguins/", GOOD)

    assert response.status_code == 400
    assert "Go back, load the page again" in words(response)
    assert "tampered" not in words(response)


def test_bug_is_in_the_log_with_its_traceback_and_not_on_the_page(ada: Client, failing, caplog):
    failing(RuntimeError("something inside"))

    response = ada.post("/models/penguins/", GOOD)

    page = response.content.decode()
    (record,) = [found for found in caplog.records if found.exc_info]
    assert response.status_code == 500
    assert "This is a fault of Portico" in words(response)
    assert f"<code>{response['X-Request-Id']}</code>" in page
    assert not any(word in page for word in ("RuntimeError", "something inside", "Traceback", ".py"))
    assert record.levelno == logging.ERROR
    assert "in predict" in caplog.text and "something inside" in caplog.text


def test_page_of_a_bug_needs_no_database(ada: Client, monkeypatch):
    with contextlib.ExitStack() as from_here_on:

        def fail(*asked, **more):
            from_here_on.enter_context(connection.execute_wrapper(without_database))
            raise RuntimeError

        monkeypatch.setattr(actions, "predict_one", fail)
        response = ada.post("/models/penguins/", GOOD)

    assert response.status_code == 500
    assert "Something broke" in words(response)
    assert "Sign out" not in words(response)


@pytest.mark.parametrize("path", ["/", "/nowhere/", "/health/", "/sign-in/"])
def test_page_without_the_database_is_a_503_that_may_pass(client: Client, path: str, caplog):
    client.force_login(make_user())
    client.raise_request_exception = False

    with connection.execute_wrapper(without_database):
        response = client.get(path)

    assert response.status_code == 503
    assert "Portico’s database does not answer just now." in words(response)
    assert "Nothing was lost" not in words(response)
    assert response["X-Request-Id"] in words(response)
    assert "secret-host" not in response.content.decode()
    assert "secret-host" in caplog.text


@pytest.mark.parametrize("is_retryable", [True, False])
def test_page_without_the_cloud_side_says_whether_to_try_again(ada: Client, monkeypatch, is_retryable: bool):
    def fail(*asked, **more):
        kind = BackendAway if is_retryable else BackendFault
        raise kind("The store cannot be reached.", detail="secret-host refused")

    monkeypatch.setattr("portal.predictions.views.single.live_version_or_404", fail)

    response = ada.get("/models/penguins/")

    assert response.status_code == 503
    assert "The store cannot be reached." in words(response)
    assert ("try again in a moment" in words(response)) is is_retryable
    assert "secret-host" not in response.content.decode()


def test_too_many_tries_have_a_page_of_the_same_kind():
    view = RequestIdMiddleware(lambda request: render(request, "429.html", status=429))

    response = view(RequestFactory().get("/"))

    assert "Wait a few minutes" in words(response)
    assert response["X-Request-Id"] in words(response)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [(RuntimeError("inside"), 500, "broken"), (OperationalError("inside"), 503, "away")],
)
def test_program_is_told_of_a_bug_as_json(ada: Client, monkeypatch, error: Exception, status: int, code: str):
    def fail(secret):
        raise error

    monkeypatch.setattr("portal.accounts.tokens.find_user", fail)

    response = ada.get("/api/models/penguins/versions/1/", headers={"Authorization": "Bearer portico_x"})

    said = response.json()["error"]
    assert (response.status_code, said["code"]) == (status, code)
    assert said["message"].endswith(f" Reference: {response['X-Request-Id']}.")
    assert "inside" not in said["message"]


def test_script_of_a_page_is_told_in_the_words_that_it_shows(ada: Client, failing):
    failing(RuntimeError("inside"))

    response = ada.post("/models/penguins/", GOOD, headers={"Accept": "application/json"})

    assert response.status_code == 500
    assert response.json() == {
        "message": f"Something broke. This is a fault of Portico. Reference: {response['X-Request-Id']}."
    }


def test_one_reference_stands_for_everything_that_a_request_does(ada: Client, monkeypatch, caplog):
    def fail(**asked):
        raise BackendAway("The service cannot be reached.", detail="refused")

    monkeypatch.setattr("portal.gateways.inference.predict", fail)
    response = ada.post("/models/penguins/", GOOD)

    assert re.search(r"Reference <code>(\w+)</code>", response.content.decode()).group(1) == response["X-Request-Id"]
    assert "BackendAway: refused" in caplog.text
    assert Prediction.objects.get().request_id == response["X-Request-Id"]


@pytest.mark.parametrize(("state", "is_shown"), [("failed", True), ("sending", True), ("answered", False)])
def test_prediction_without_an_answer_shows_its_reference_for_good(ada: Client, state: str, is_shown: bool):
    user, version = User.objects.get(username="ada"), ModelVersion.objects.get()
    prediction = make_prediction(user, version, state=state, request_id="3f9a5c1e7b2d4a60")

    page = ada.get(prediction.get_absolute_url()).content.decode()

    assert ("3f9a5c1e7b2d4a60" in page) is is_shown
