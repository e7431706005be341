"""Codes and refresh tokens: exchanged for tokens, refused, taken back."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from botocore.stub import Stubber

from portal.errors import BackendAway, BackendFault, NotLetIn
from portal.gateways.cognito import client, tokens
from portal.gateways.cognito.tokens import Tokens
from tests.portal.gateways.cognito.conftest import CLIENT_ID, ISSUER, POOL, SECRET
from tests.user_pool import UserPool


class Web:
    """The token endpoint and the metadata, answering what a test says."""

    def __init__(self) -> None:
        self.status, self.body, self.error = 200, {}, None
        self.metadata = {"issuer": ISSUER, "token_endpoint": "https://pool/oauth2/token"}
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, address: str, **asked: Any) -> requests.Response:
        self.asked.append((address, asked))
        if self.error:
            raise self.error
        answer = requests.Response()
        answer.status_code = self.status
        said = self.metadata if address.endswith("openid-configuration") else self.body
        answer._content = said if isinstance(said, bytes) else requests.compat.json.dumps(said).encode()
        return answer


@pytest.fixture
def web(pool_settings: Any, monkeypatch: pytest.MonkeyPatch) -> Web:
    found = Web()
    monkeypatch.setattr(requests, "get", found)
    monkeypatch.setattr(requests, "post", found)
    return found


def exchange() -> Tokens:
    return tokens.exchange_code("the-code", redirect_uri="https://portico/back", verifier="v" * 43)


def test_code_is_exchanged_with_secret_verifier_and_the_address_it_was_sent_to(web: Web):
    web.body = {"id_token": "i", "access_token": "a", "refresh_token": "r"}

    assert exchange() == Tokens(CLIENT_ID, "i", "r")
    address, asked = web.asked[-1]
    assert address == "https://pool/oauth2/token"
    assert asked["auth"] == (CLIENT_ID, SECRET)
    assert asked["data"] == {
        "grant_type": "authorization_code",
        "client_id": CLIENT_ID,
        "code": "the-code",
        "redirect_uri": "https://portico/back",
        "code_verifier": "v" * 43,
    }
    assert asked["timeout"] and asked["allow_redirects"] is False


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, {"error": "invalid_grant"}, NotLetIn),
        (400, {"error": "invalid_client"}, BackendFault),
        (200, {"access_token": "a"}, BackendFault),
        (200, b"<html>", BackendFault),
        (502, b"<html>", BackendAway),
    ],
)
def test_code_that_is_refused_is_told_by_whose_fault_it_is(web: Web, status: int, body, error):
    web.status, web.body = 200, {}
    client.metadata()
    web.status, web.body = status, body

    with pytest.raises(error):
        exchange()


def test_code_while_the_service_cannot_be_reached_may_be_tried_again(web: Web):
    web.error = requests.ConnectTimeout("no answer")

    with pytest.raises(BackendAway):
        exchange()


def test_metadata_of_another_issuer_is_refused(web: Web):
    web.metadata["issuer"] = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Other"

    with pytest.raises(BackendFault) as refused:
        client.metadata()

    assert "PORTICO_USER_POOL_ISSUER" in refused.value.detail


def test_metadata_is_asked_for_once_at_the_issuers_own_address(web: Web, monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    client.metadata()
    client.metadata()

    assert [address for address, _ in web.asked] == [f"{ISSUER}/.well-known/openid-configuration"]
    assert POOL in ISSUER


def test_refresh_of_a_good_token_gives_new_ones_and_the_old_one_stays(by_forms: UserPool):
    given = by_forms.tokens(by_forms.add())

    after = tokens.refresh(given["RefreshToken"], client_id=by_forms.public_client_id)

    assert after.id_token not in ("", given["IdToken"])
    assert after.refresh_token == ""


def test_refresh_after_the_token_was_revoked_is_refused(by_forms: UserPool):
    refresh_token = by_forms.tokens(by_forms.add())["RefreshToken"]

    tokens.revoke(refresh_token, client_id=by_forms.public_client_id)

    with pytest.raises(NotLetIn):
        tokens.refresh(refresh_token, client_id=by_forms.public_client_id)


def test_refresh_of_somebody_who_is_switched_off_is_refused(by_forms: UserPool):
    address = by_forms.add()
    refresh_token = by_forms.tokens(address)["RefreshToken"]
    by_forms.admin.admin_disable_user(UserPoolId=by_forms.id, Username=address)

    with pytest.raises(NotLetIn):
        tokens.refresh(refresh_token, client_id=by_forms.public_client_id)


def test_refresh_of_a_confidential_client_brings_its_secret_along(pool_settings):
    with Stubber(client.pool_client()) as stub:
        stub.add_response(
            "get_tokens_from_refresh_token",
            {"AuthenticationResult": {"IdToken": "i", "RefreshToken": "rotated"}},
            {"RefreshToken": "r", "ClientId": CLIENT_ID, "ClientSecret": SECRET},
        )
        stub.add_response("revoke_token", {}, {"Token": "r", "ClientId": CLIENT_ID, "ClientSecret": SECRET})

        given = tokens.refresh("r", client_id=CLIENT_ID)
        tokens.revoke("r", client_id=CLIENT_ID)

    assert given == Tokens(CLIENT_ID, "i", "rotated")


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("NotAuthorizedException", 400, NotLetIn),
        ("UserNotFoundException", 400, NotLetIn),
        ("RefreshTokenReuseException", 400, NotLetIn),
        ("InvalidParameterException", 400, BackendFault),
        ("InternalErrorException", 500, BackendAway),
    ],
)
def test_refresh_that_cognito_refuses_is_told_from_one_that_fails(pool_settings, code: str, status: int, error):
    with Stubber(client.pool_client()) as stub:
        stub.add_client_error("get_tokens_from_refresh_token", code, "x", http_status_code=status)

        with pytest.raises(error):
            tokens.refresh("r", client_id="the-public-client")


def test_revoking_what_is_worth_nothing_already_is_no_error(pool_settings):
    with Stubber(client.pool_client()) as stub:
        stub.add_client_error("revoke_token", "UnauthorizedException", "x")

        tokens.revoke("r", client_id="the-public-client")
