"""Before a view that needs a login: is the sign-in by Cognito still good?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse

from portal.accounts.cognito import sessions


class PoolSessionMiddleware:
    """Looks at what the session holds, and asks Cognito when that is due. Comes before LoginRequiredMiddleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Callable[..., Any], *args: Any) -> None:
        """A view that is open to everybody does not need the session, and must not wait for Cognito."""
        if not getattr(view, "login_required", True) or not request.user.is_authenticated:
            return
        kept = sessions.read(request.session)
        if kept is None or not sessions.is_due(kept):
            return
        why_signed_out = sessions.keep_up(request, kept)
        if why_signed_out:
            messages.warning(request, why_signed_out)
