"""Who is asking."""

from django.http import HttpRequest

from portal.accounts.models import User


def person(request: HttpRequest) -> User:
    """The signed-in user. LoginRequiredMiddleware lets nobody else reach a view.

    Raises: TypeError: a view that needs no login asked all the same
    """
    if not isinstance(request.user, User):
        raise TypeError("This view is open to everybody, and must not ask who is there.")
    return request.user
