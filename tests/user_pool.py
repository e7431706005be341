"""A user pool as the template makes it, on an emulator that checks what Cognito checks, and the people in it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import runpy
import struct
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import jwt
import pytest
from django.urls import include, path

from deploy.targets import EMULATOR_CREDENTIALS
from portal import urls as portal_urls
from portal.accounts.cognito.urls import pages
from portal.gateways.cognito import client, id_tokens

SETTINGS = str(Path(__file__).resolve().parents[1] / "portal" / "settings.py")
REGION = "eu-central-1"
PASSWORD, TEMPORARY, BETTER = "A-good-long-password-1", "Temporary-password-1", "Another-good-password-2"
CODE = "654321"  # the emulator sends everybody this one
CALLBACK = "/accounts/oidc/cognito/login/callback/"
POLICY = {
    "MinimumLength": 12,
    "RequireLowercase": True,
    "RequireUppercase": True,
    "RequireNumbers": True,
    "RequireSymbols": False,
}
_counted = itertools.count(1)


@dataclass(frozen=True)
class UserPool:
    """A pool with both of the template's clients.

    Attributes: admin: a client of boto3 that may do everything
    """

    endpoint: str
    id: str
    client_id: str
    client_secret: str
    public_client_id: str
    admin: Any

    @property
    def issuer(self) -> str:
        return f"https://cognito-idp.{REGION}.amazonaws.com/{self.id}"

    def environment(self, *, by_forms: bool = False) -> dict[str, str]:
        """The portal's variables, as `deploy outputs` gives them, with the SDKs' own."""
        return {
            **EMULATOR_CREDENTIALS,
            "AWS_ENDPOINT_URL": self.endpoint,
            "PORTICO_USER_POOL_ID": self.id,
            "PORTICO_USER_POOL_ISSUER": self.issuer,
            "PORTICO_USER_POOL_DOMAIN": self.endpoint,
            "PORTICO_USER_POOL_CLIENT_ID": self.client_id,
            "PORTICO_USER_POOL_CLIENT_SECRET": self.client_secret,
            "PORTICO_USER_POOL_PUBLIC_CLIENT_ID": self.public_client_id,
            "PORTICO_COGNITO_FORMS": "true" if by_forms else "false",
        }

    def add(self, *groups: str, is_new: bool = False, **attributes: str) -> str:
        """A person in these groups, whose password is PASSWORD, or TEMPORARY while `is_new`. Returns the address."""
        address = attributes.setdefault("email", f"person-{next(_counted)}@example.org")
        attributes.setdefault("email_verified", "true")
        self.admin.admin_create_user(
            UserPoolId=self.id,
            Username=address,
            TemporaryPassword=TEMPORARY,
            MessageAction="SUPPRESS",
            UserAttributes=[{"Name": name, "Value": value} for name, value in attributes.items()],
        )
        if not is_new:
            self.admin.admin_set_user_password(UserPoolId=self.id, Username=address, Password=PASSWORD, Permanent=True)
        for group in groups:
            self.group(address, group)
        return address

    def group(self, address: str, group: str) -> None:
        self.admin.admin_add_user_to_group(UserPoolId=self.id, Username=address, GroupName=group)

    def ungroup(self, address: str, group: str) -> None:
        self.admin.admin_remove_user_from_group(UserPoolId=self.id, Username=address, GroupName=group)

    def sub(self, address: str) -> str:
        said = self.admin.admin_get_user(UserPoolId=self.id, Username=address)
        return next(each["Value"] for each in said["UserAttributes"] if each["Name"] == "sub")

    def tokens(self, address: str, password: str = PASSWORD) -> Mapping[str, str]:
        """What a program of this person gets: IdToken, AccessToken, RefreshToken of the public client."""
        return self.admin.initiate_auth(
            ClientId=self.public_client_id,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": address, "PASSWORD": password},
        )["AuthenticationResult"]

    def claims(self, address: str) -> Mapping[str, Any]:
        """What the person's ID token says."""
        claims: Mapping[str, Any] = jwt.decode(self.tokens(address)["IdToken"], options={"verify_signature": False})
        return claims

    def add_authenticator(self, address: str) -> str:
        """The person's sign-ins ask for a code from now on. Returns the authenticator's secret."""
        token = self.tokens(address)["AccessToken"]
        secret = self.admin.associate_software_token(AccessToken=token)["SecretCode"]
        self.admin.verify_software_token(AccessToken=token, UserCode=totp(secret))
        self.admin.set_user_mfa_preference(
            AccessToken=token, SoftwareTokenMfaSettings={"Enabled": True, "PreferredMfa": True}
        )
        return secret


def make_pool(endpoint: str, *, origin: str) -> UserPool:
    """A pool of its own, with the roles' groups, for a portal at this origin."""
    admin = boto3.client(
        "cognito-idp",
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=EMULATOR_CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=EMULATOR_CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )
    pool = admin.create_user_pool(
        PoolName="portico",
        UsernameAttributes=["email"],
        AutoVerifiedAttributes=["email"],
        Policies={"PasswordPolicy": POLICY},
        AdminCreateUserConfig={"AllowAdminCreateUserOnly": True},
    )["UserPool"]["Id"]
    admin.set_user_pool_mfa_config(
        UserPoolId=pool, MfaConfiguration="OPTIONAL", SoftwareTokenMfaConfiguration={"Enabled": True}
    )
    portal = admin.create_user_pool_client(
        UserPoolId=pool,
        ClientName="portal",
        GenerateSecret=True,
        AllowedOAuthFlows=["code"],
        AllowedOAuthScopes=["openid", "email", "profile", "aws.cognito.signin.user.admin"],
        AllowedOAuthFlowsUserPoolClient=True,
        CallbackURLs=[f"{each}{CALLBACK}" for each in (origin, "http://testserver")],
        LogoutURLs=[f"{each}/sign-in/" for each in (origin, "http://testserver")],
        ExplicitAuthFlows=["ALLOW_REFRESH_TOKEN_AUTH"],
        PreventUserExistenceErrors="ENABLED",
    )["UserPoolClient"]
    public = admin.create_user_pool_client(
        UserPoolId=pool,
        ClientName="public",
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        PreventUserExistenceErrors="ENABLED",
    )["UserPoolClient"]
    for group in ("viewer", "predictor", "model-owner", "admin", "accountants"):
        admin.create_group(UserPoolId=pool, GroupName=group)
    return UserPool(endpoint, pool, portal["ClientId"], portal["ClientSecret"], public["ClientId"], admin)


@contextmanager
def signs_in_by(pool: UserPool, settings: Any, monkeypatch: pytest.MonkeyPatch, *, by_forms: bool) -> Iterator[None]:
    """The portal, with what its own settings make of the pool's variables."""
    for name, value in pool.environment(by_forms=by_forms).items():
        monkeypatch.setenv(name, value)
    made = runpy.run_path(SETTINGS)
    taken = ("PORTICO_USER_POOL", "PORTICO_COGNITO", "AUTHENTICATION_BACKENDS", "CONTENT_SECURITY_POLICY", "IS_MANAGED")
    for name, value in made.items():
        if name.startswith(taken):
            setattr(settings, name, value)
    settings.ROOT_URLCONF = _Addresses(portal_urls.addresses([path("", include(pages(by_forms=by_forms)))]))
    forget()
    yield
    forget()


def forget() -> None:
    """What the gateway knows of a pool."""
    for known in (client.pool_client, client.metadata, id_tokens._keys):
        known.cache_clear()


def totp(secret: str) -> str:
    """What an authenticator shows now. Source: RFC 6238."""
    counter = struct.pack(">Q", int(time.time()) // 30)
    digest = hmac.new(base64.b32decode(secret), counter, hashlib.sha1).digest()
    offset = digest[-1] & 15
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**6:06d}"


class _Addresses:
    """Stands for the portal's module of addresses, with others."""

    def __init__(self, urlpatterns: list[Any]) -> None:
        self.urlpatterns = urlpatterns

    def __getattr__(self, name: str) -> Any:
        return getattr(portal_urls, name)
