"""What can go wrong, and what the person in front of the page is told.

PorticoError                 user_message is a sentence safe to show
├── Fixable                  the user can put it right: shown on the form, input kept
│   ├── BadInput             with messages for single fields
│   └── Refused              a file or a step that was turned down, with what to do next
│       ├── NotLetIn         somebody who wants to sign in, or to stay signed in
│       └── TooOften         too many attempts; the same may be right later
└── GatewayError             the cloud side: the same page again, 503, a reference id
    ├── BackendAway          not reachable, throttled or too slow; trying again may help
    └── BackendFault         it answered with an error of its own; trying again will not help
"""

from collections.abc import Mapping


class PorticoError(Exception):
    """Something expected went wrong; `user_message` may be shown as it is."""

    def __init__(self, user_message: str) -> None:
        super().__init__(user_message)
        self.user_message = user_message


class Fixable(PorticoError):
    """The person can mend this."""


class BadInput(Fixable):
    """Values that cannot be predicted on; `fields` maps a feature's name to what is wrong with it."""

    def __init__(self, user_message: str, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(user_message)
        self.fields = dict(fields or {})


class Refused(Fixable):
    """A file or a step that was turned down; the message says why and what to do next."""


class NotLetIn(Refused):
    """Somebody who wants to sign in, or to stay signed in, was turned away."""


class TooOften(Refused):
    """There were too many attempts."""


class GatewayError(PorticoError):
    """The cloud side failed. `detail` is for the log only."""

    retryable = False

    def __init__(self, user_message: str, *, detail: str = "") -> None:
        super().__init__(user_message)
        self.detail = detail or user_message


class BackendAway(GatewayError):
    """Not reachable, throttled, or too slow."""

    retryable = True


class BackendFault(GatewayError):
    """It answered, but with a fault of its own."""
