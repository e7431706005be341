"""Who may come in where a user pool decides: nobody by a password that the portal keeps."""

from __future__ import annotations

from typing import Any

from portal.accounts.backends import RoleBackend


class PoolBackend(RoleBackend):
    """Permissions by role, as ever. Sessions that a local password opened are of another backend, and end."""

    def authenticate(self, request: Any, **credentials: Any) -> None:  # type: ignore[override]
        """Nobody: the local passwords of before are still in the table."""
