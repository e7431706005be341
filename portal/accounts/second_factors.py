"""What a person has beside the password: an app that shows codes, passkeys, recovery codes."""

from __future__ import annotations

from dataclasses import dataclass

from allauth.mfa.models import Authenticator

from portal.accounts.models import User


@dataclass(frozen=True)
class SecondFactors:
    """Attributes:
    app: the authenticator app, None without one
    codes_left: recovery codes that were not used yet
    """

    app: Authenticator | None
    passkeys: list[Authenticator]
    codes_left: int

    @property
    def are_on(self) -> bool:
        """Is a second step asked for after the password?"""
        return self.app is not None or bool(self.passkeys)

    def __str__(self) -> str:
        return " and ".join(
            part
            for part in (
                "an authenticator app" if self.app else "",
                f"{len(self.passkeys)} passkey{'s' if len(self.passkeys) > 1 else ''}" if self.passkeys else "",
            )
            if part
        )


def second_factors_of(user: User) -> SecondFactors:
    rows = list(Authenticator.objects.filter(user=user).order_by("created_at", "pk"))
    kinds = Authenticator.Type
    codes = next((row for row in rows if row.type == kinds.RECOVERY_CODES), None)
    return SecondFactors(
        app=next((row for row in rows if row.type == kinds.TOTP), None),
        passkeys=[row for row in rows if row.type == kinds.WEBAUTHN],
        codes_left=len(codes.wrap().get_unused_codes()) if codes else 0,
    )
