"""Whether somebody is still welcome, asked with the portal's own right: there is no token of theirs at hand."""

from __future__ import annotations

from django.conf import settings

from portal.errors import NotLetIn
from portal.gateways.cognito.client import Answers, pool_client, pool_errors
from portal.gateways.cognito.tokens import ENDED


def is_welcome(name: str) -> bool:
    """Has the pool somebody of this name who is not switched off?

    Args:   name: as the pool calls them, `cognito:username`
    Raises: GatewayError
    Source: AdminGetUser of the Cognito user pools API, which takes cognito-idp:AdminGetUser
    """
    gone: Answers = {"UserNotFoundException": lambda said: _Gone(ENDED)}
    try:
        with pool_errors("asking after a person", gone):
            said = pool_client(is_signed=True).admin_get_user(UserPoolId=settings.PORTICO_USER_POOL_ID, Username=name)
    except _Gone:
        return False
    return bool(said["Enabled"])


class _Gone(NotLetIn):
    """There is nobody of this name."""
