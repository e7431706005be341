"""The life of a version, as one table.

    checking → ready        it passed the scan and the trial run
    checking → rejected     it did not; the reason is kept
    checking → checking     the check was interrupted and runs again
    rejected → checking     the same file is checked again, say after an upgrade

Being live is not a state but a fact about one ready version of each model.
"""

from portal.errors import Refused

CHECKING, READY, REJECTED = "checking", "ready", "rejected"
CHOICES = [(CHECKING, "Checking"), (READY, "Ready"), (REJECTED, "Rejected")]

LEGAL = {(CHECKING, READY), (CHECKING, REJECTED), (CHECKING, CHECKING), (REJECTED, CHECKING)}


def check_change(old: str, new: str) -> None:
    """Raises: Refused: where the table does not allow the change."""
    if (old, new) not in LEGAL:
        raise Refused(f"A version that is {old} cannot become {new}.")
