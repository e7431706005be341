"""The life of a version, as one table. `manage.py version_states` draws it; docs/models.md shows the drawing.

Being ready and being live are two states of one finished version: at most one version of a model is live.
"""

from portal.errors import Refused

UPLOADED, CHECKING, READY, LIVE, REJECTED, ARCHIVED = "uploaded", "checking", "ready", "live", "rejected", "archived"
CHOICES = [(state, state.capitalize()) for state in (UPLOADED, CHECKING, READY, LIVE, REJECTED, ARCHIVED)]

# Finished: it passed the check, and nothing about its file or its manifest changes any more.
PASSED = (READY, LIVE)

LEGAL = {
    (UPLOADED, CHECKING): "the check begins",
    (CHECKING, CHECKING): "an interrupted check begins anew",
    (CHECKING, READY): "it passed the scan and the trial run",
    (CHECKING, REJECTED): "it did not; the reasons are kept",
    (REJECTED, CHECKING): "the same file is checked again, say after an upgrade",
    (READY, LIVE): "made live, or rolled back to",
    (LIVE, READY): "another version took its place",
    (READY, ARCHIVED): "put away",
    (REJECTED, ARCHIVED): "put away",
}


def check_change(old: str, new: str) -> None:
    """Raises: Refused: where the table does not allow the change."""
    if (old, new) not in LEGAL:
        raise Refused(f"A version that is {old} cannot become {new}.")
