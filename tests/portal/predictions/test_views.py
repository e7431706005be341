"""Who may see what, and that nothing typed, posted or asked for ends in a traceback or in nothing."""

import re
import uuid
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from portal.accounts import roles
from portal.errors import BackendAway
from portal.gateways import inference
from portal.predictions.models import Prediction
from portal.registry import actions as registry
from portal.registry.models import ModelVersion
from tests.portal.factories import make_batch, make_model, make_prediction, make_user, make_version

pytestmark = pytest.mark.django_db
GOOD = {"f0": "44.5", "f1": "Dream", "f2": ""}


def client_of(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**asked):
        raise BackendAway("The prediction service cannot be reached just now.", detail="secret-host refused")

    monkeypatch.setattr(inference, "predict", fail)


@pytest.mark.parametrize(
    "path", ["/", "/models/penguins/", "/models/penguins/batch/", "/history/", "/history/export.csv", "/admin/"]
)
def test_page_without_a_login_leads_to_the_sign_in(path: str):
    make_version()

    response = Client().get(path, follow=True)

    assert response.redirect_chain[-1][0].startswith("/sign-in/?next=")


def test_health_without_a_login_answers():
    assert Client().get("/health/").json() == {"ok": True}


@pytest.mark.parametrize(
    ("role", "path", "status"),
    [
        ("", "/", 200), ("", "/models/penguins/", 403), ("", "/models/penguins/about/", 403), ("", "/history/", 403),
        (roles.VIEWER, "/models/penguins/about/", 200), (roles.VIEWER, "/history/", 200),
        (roles.VIEWER, "/models/penguins/", 403), (roles.VIEWER, "/models/penguins/batch/template.csv", 403),
        (roles.PREDICTOR, "/models/penguins/", 200), (roles.PREDICTOR, "/models/penguins/batch/template.csv", 200),
        (roles.PREDICTOR, "/admin/registry/model/", 403), (roles.MODEL_OWNER, "/admin/registry/model/", 200),
        (roles.MODEL_OWNER, "/admin/accounts/user/", 403), (roles.ADMIN, "/admin/accounts/user/", 200),
    ],
)  # fmt: skip
def test_page_asked_for_with_a_role_is_open_as_the_table_of_roles_says(role: str, path: str, status: int):
    make_version()

    response = client_of(make_user("ada", role)).get(path, follow=True)

    assert response.status_code == status


@pytest.mark.parametrize("role", [roles.VIEWER, roles.PREDICTOR])
def test_answer_and_batch_of_somebody_else_are_not_there(role: str):
    bob, version = make_user("bob"), make_version()
    prediction, batch = make_prediction(bob, version), make_batch(bob, version)
    client = client_of(make_user("ada", role))

    statuses = [client.get(path).status_code for path in (
        prediction.get_absolute_url(), batch.get_absolute_url(), reverse("predictions:download", args=[batch.pk])
    )]  # fmt: skip

    assert statuses == [404, 404, 404]


def test_answer_of_somebody_else_is_open_to_a_model_owner():
    prediction = make_prediction(make_user("bob"), make_version())

    response = client_of(make_user("olga", roles.MODEL_OWNER)).get(prediction.get_absolute_url())

    assert response.status_code == 200
    assert b"by bob" in response.content


def test_model_without_a_live_version_is_not_there():
    make_version(is_live=False)
    client = client_of(make_user())

    assert client.get("/models/penguins/").status_code == 404
    assert b"No model is live yet" in client.get("/").content


@pytest.mark.parametrize("path", ["/models/penguins/?example=x", "/models/penguins/?example=999999999999999999999"])
def test_predict_page_with_a_nonsense_example_shows_the_defaults(path: str):
    make_version()

    response = client_of(make_user()).get(path)

    assert response.status_code == 200
    assert b'value="44.5"' in response.content


def test_predict_with_the_service_away_keeps_the_values_and_the_question(away: None):
    make_version()

    response = client_of(make_user()).post("/models/penguins/", GOOD)

    page = response.content.decode()
    assert response.status_code == 503
    assert 'value="44.5"' in page
    assert re.search(r"Reference <code>[0-9a-f]{16}</code>", page)
    assert "secret-host" not in page
    assert Prediction.objects.get().state == "failed"


def test_predict_with_bad_values_sends_nothing(away: None):
    make_version()

    response = client_of(make_user()).post("/models/penguins/", GOOD | {"f0": "abc"})

    assert response.status_code == 422
    assert not Prediction.objects.exists()


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_page_asked_with_another_method_says_so(method: str):
    make_version()

    assert getattr(client_of(make_user()), method)("/models/penguins/").status_code == 405


def test_form_without_its_token_is_refused():
    make_version()
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user())

    assert client.post("/models/penguins/", GOOD).status_code == 403


def test_every_page_forbids_foreign_and_inline_script():
    make_version()

    policy = client_of(make_user()).get("/models/penguins/")["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize(
    "place", ["before=99", "after=x", "before=1-x", "page=99", "after=9" + "9" * 30 + "-" + "0" * 32]
)
def test_history_on_a_page_that_is_not_there_shows_the_first_one(place: str):
    ada, version = make_user(), make_version()
    make_prediction(ada, version)

    response = client_of(ada).get(f"/history/?{place}")

    assert b"Newer" not in response.content
    assert response.content.count(b"<tr>") == 2


@pytest.fixture
def original(cloud: None, original_model) -> ModelVersion:
    owner = make_user("owner", roles.MODEL_OWNER)
    model = make_model(f"original-{uuid.uuid4().hex[:8]}")
    with original_model.open("rb") as file:
        version = registry.upload_version(model, file, file_name="binary_sklearn_model.pkl", by=owner)
    registry.check(version, by=owner)
    registry.make_live(version, by=owner)
    return version


def test_original_tools_model_is_accepted_with_a_warning_of_its_version(original: ModelVersion):
    assert original.is_live
    assert any("1.2.0" in warning for warning in original.manifest["warnings"])
    assert [feature.name for feature in original.features.all()] == ["var_1", "var_2", "var_3", "var_4"]


def test_prediction_through_the_whole_stack_is_answered_and_kept(original: ModelVersion):
    ada = make_user()

    response = client_of(ada).post(f"/models/{original.model.slug}/", {"f0": "1", "f1": "2", "f2": "3", "f3": "4"})

    prediction = Prediction.objects.get(user=ada)
    assert response.headers["Location"] == prediction.get_absolute_url()
    assert prediction.state == "answered"
    assert sum(share for _, share in prediction.probabilities) == pytest.approx(1)
    assert prediction.band_label
    assert prediction.milliseconds > 0


def test_history_of_many_rows_comes_in_pages_that_keep_the_filter():
    ada, version = make_user(), make_version()
    for _ in range(27):
        make_prediction(ada, version)
    client = client_of(ada)

    first = client.get("/history/?kind=prediction").content.decode()
    older = unescape(re.search(r'href="([^"]*)" rel="next"', first)[1])
    second = client.get(f"/history/{older}").content.decode()

    assert first.count("<tr>") == 26
    assert "Export 27 rows as CSV" in re.sub(r"</?data[^>]*>", "", first)
    assert older.startswith("?kind=prediction&before=")
    assert second.count("<tr>") == 3
    assert 'rel="prev"' in second
    assert 'rel="next"' not in second


def test_password_changed_by_its_owner_opens_the_door_from_then_on():
    ada = make_user()
    client = client_of(ada)
    new = {"password1": "a-calm-harbour-7", "password2": "a-calm-harbour-7"}

    response = client.post("/password/", {"oldpassword": "ada-password", **new}, follow=True)

    assert b"Your password was changed" in response.content
    assert Client().login(username="ada", password="a-calm-harbour-7")


def test_sign_out_by_post_closes_the_door():
    client = client_of(make_user())

    client.post("/sign-out/")

    assert client.get("/").status_code == 302
