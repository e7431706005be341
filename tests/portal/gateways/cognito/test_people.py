"""Whether the pool still has somebody."""

from __future__ import annotations

import pytest
from botocore import UNSIGNED
from botocore.stub import Stubber

from portal.errors import BackendAway, BackendFault
from portal.gateways.cognito import client, people
from tests.portal.gateways.cognito.conftest import POOL
from tests.user_pool import UserPool


def test_person_is_welcome_until_switched_off_and_again_when_switched_on(by_forms: UserPool):
    address = by_forms.add()
    name = by_forms.sub(address)
    assert people.is_welcome(name)

    by_forms.admin.admin_disable_user(UserPoolId=by_forms.id, Username=address)
    assert not people.is_welcome(name)

    by_forms.admin.admin_enable_user(UserPoolId=by_forms.id, Username=address)
    assert people.is_welcome(name)


def test_person_who_is_gone_is_not_welcome(by_forms: UserPool):
    address = by_forms.add()
    name = by_forms.sub(address)
    by_forms.admin.admin_delete_user(UserPoolId=by_forms.id, Username=address)

    assert not people.is_welcome(name)


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("AccessDeniedException", 400, BackendFault),
        ("NotAuthorizedException", 400, BackendFault),
        ("InternalErrorException", 500, BackendAway),
    ],
)
def test_person_whom_the_portal_may_not_or_cannot_ask_about_is_not_called_gone(pool_settings, code, status, error):
    with Stubber(client.pool_client(is_signed=True)) as stub:
        stub.add_client_error(
            "admin_get_user", code, "x", status, expected_params={"UserPoolId": POOL, "Username": "0a-1b"}
        )

        with pytest.raises(error):
            people.is_welcome("0a-1b")


def test_person_is_asked_about_in_the_portals_own_name_and_nothing_else_is(pool_settings):
    assert client.pool_client(is_signed=True).meta.config.signature_version == "v4"
    assert client.pool_client().meta.config.signature_version is UNSIGNED
