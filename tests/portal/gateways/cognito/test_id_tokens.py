"""Which tokens are believed: those of this pool, for this client, of now, made to identify somebody."""

import base64
import hmac
import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from portal.errors import BackendAway, BackendFault
from portal.gateways.cognito import id_tokens
from portal.gateways.cognito.id_tokens import IdTokenRefused
from tests.portal.gateways.cognito.conftest import CLIENT_ID, ISSUER, Keys
from tests.user_pool import PASSWORD, UserPool, make_pool


def verify(token: str, *, client_id: str = CLIENT_ID, nonce: str | None = "n-1"):
    return id_tokens.verify(token, client_id=client_id, nonce=nonce)


def unsigned(token: str, **header: str) -> str:
    """The same claims under a header of one's own choice, with no signature."""
    said = base64.urlsafe_b64encode(json.dumps({"kid": "first", **header}).encode()).rstrip(b"=").decode()
    return f"{said}.{token.split('.')[1]}."


def test_id_token_that_is_right_gives_its_claims(keys: Keys):
    claims = verify(keys.sign(email="ada@example.org"))

    assert (claims["sub"], claims["email"]) == ("0a-1b", "ada@example.org")


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"exp": int(time.time()) - 3600, "iat": int(time.time()) - 7200}, "ExpiredSignature"),
        ({"iat": int(time.time()) + 3600}, "ImmatureSignature"),
        ({"nbf": int(time.time()) + 3600}, "ImmatureSignature"),
        ({"iss": f"{ISSUER}x"}, "InvalidIssuer"),
        ({"iss": "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Other"}, "InvalidIssuer"),
        ({"aud": "another-client"}, "InvalidAudience"),
        ({"token_use": "access"}, "use as 'access'"),
        ({"token_use": "access", "aud": None, "client_id": CLIENT_ID}, "aud"),
        ({"nonce": "n-2"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"nonce": "ñ"}, "nonce"),
        *(({name: None}, name) for name in ("sub", "iss", "exp", "iat", "token_use")),
    ],
)
def test_id_token_with_a_wrong_claim_is_refused_and_only_the_log_knows_which(keys: Keys, caplog, claims, why: str):
    with pytest.raises(IdTokenRefused) as refused:
        verify(keys.sign(**claims))

    assert why in caplog.text
    assert why not in refused.value.user_message


def test_id_token_a_few_seconds_out_of_step_is_believed(keys: Keys):
    now = int(time.time())

    assert verify(keys.sign(iat=now + 10, exp=now - 10))["sub"] == "0a-1b"


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "RS512", ""])
def test_id_token_that_names_another_algorithm_is_refused(keys: Keys, algorithm: str):
    with pytest.raises(IdTokenRefused):
        verify(unsigned(keys.sign(), alg=algorithm))


def test_id_token_signed_with_the_public_key_as_a_secret_is_refused(keys: Keys):
    public = keys.keys["first"].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    body = unsigned(keys.sign(), alg="HS256").rstrip(".")
    signature = base64.urlsafe_b64encode(hmac.digest(public, body.encode(), "sha256")).rstrip(b"=").decode()

    with pytest.raises(IdTokenRefused):
        verify(f"{body}.{signature}")


def test_id_token_whose_claims_were_changed_is_refused(keys: Keys):
    head, _, signature = keys.sign().split(".")
    body = keys.sign(sub="somebody-else").split(".")[1]

    with pytest.raises(IdTokenRefused):
        verify(f"{head}.{body}.{signature}")


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "a.b.c.d.e", "é.é.é"])
def test_id_token_that_is_none_is_refused(keys: Keys, token: str):
    with pytest.raises(IdTokenRefused):
        verify(token)


def test_id_token_without_a_key_id_is_refused(keys: Keys):
    with pytest.raises(IdTokenRefused):
        verify(jwt.encode({"sub": "x"}, keys.keys["first"], algorithm="RS256"))


def test_keys_are_fetched_once_for_many_tokens(keys: Keys):
    for _ in range(3):
        verify(keys.sign())

    assert keys.fetched == 1


def test_keys_of_a_pool_that_has_a_new_one_are_fetched_again(keys: Keys):
    verify(keys.sign())
    keys.add("second")

    verify(keys.sign("second"))

    assert keys.fetched == 2


def test_id_token_under_an_unknown_key_is_refused_after_one_more_look(keys: Keys):
    verify(keys.sign())
    published = keys.published
    keys.add("strange")
    keys.published = published

    with pytest.raises(IdTokenRefused):
        verify(keys.sign("strange"))

    assert keys.fetched == 2


def test_keys_that_cannot_be_had_are_no_fault_of_the_token(keys: Keys):
    keys.status = 503

    with pytest.raises(BackendAway):
        verify(keys.sign())


def test_keys_that_are_no_json_are_the_services_fault(keys: Keys):
    keys.published = b"<html>"

    with pytest.raises(BackendFault):
        verify(keys.sign())


def test_id_token_of_the_pool_is_believed_for_its_own_client_only(by_forms: UserPool):
    token = by_forms.tokens(by_forms.add())["IdToken"]

    assert id_tokens.verify(token, client_id=by_forms.public_client_id)["token_use"] == "id"
    with pytest.raises(IdTokenRefused):
        id_tokens.verify(token, client_id=by_forms.client_id)


def test_access_token_of_the_pool_is_refused_where_an_id_token_is_wanted(by_forms: UserPool):
    token = by_forms.tokens(by_forms.add())["AccessToken"]

    with pytest.raises(IdTokenRefused):
        id_tokens.verify(token, client_id=by_forms.public_client_id)


def test_id_token_of_another_pool_of_the_same_account_is_refused(by_forms: UserPool):
    other = make_pool(by_forms.endpoint, origin="http://testserver")
    token = other.tokens(other.add(), PASSWORD)["IdToken"]

    for client_id in (by_forms.public_client_id, other.public_client_id):
        with pytest.raises(IdTokenRefused):
            id_tokens.verify(token, client_id=client_id)
