"""The lives of a prediction and of a batch, as tables. `manage.py batch_states` draws that of a batch.

The state machine is the truth of a batch under way. Its row follows at the next look, which may come several changes
late: `leads_to` says whether the table allows that.
"""

SENDING, ANSWERED, REFUSED, FAILED = "sending", "answered", "refused", "failed"
UPLOADING, QUEUED, PLANNING, RUNNING = "uploading", "queued", "planning", "running"
DONE, DONE_WITH_ERRORS, CANCELLED = "done", "done_with_errors", "cancelled"

PREDICTION_CHOICES = [(SENDING, "No answer yet"), (ANSWERED, "Answered"), (REFUSED, "Refused"), (FAILED, "Failed")]
BATCH_CHOICES = [
    (UPLOADING, "Not started"),
    (QUEUED, "Queued"),
    (PLANNING, "Being read"),
    (RUNNING, "Running"),
    (DONE, "Done"),
    (DONE_WITH_ERRORS, "Done with errors"),
    (FAILED, "Failed"),
    (CANCELLED, "Cancelled"),
]

UNDER_WAY = (QUEUED, PLANNING, RUNNING)
FINISHED = (DONE, DONE_WITH_ERRORS)
STOPPED = (FAILED, CANCELLED)

PREDICTION_CHANGES = {
    (SENDING, ANSWERED): "the container answered",
    (SENDING, REFUSED): "the model cannot take these values",
    (SENDING, FAILED): "no answer came; a row left “sending” by a crash says so too",
}
BATCH_CHANGES = {
    (UPLOADING, QUEUED): "the file is in place and was looked at; the execution is started",
    (UPLOADING, FAILED): "the file never arrived, or could not be taken",
    (UPLOADING, CANCELLED): "called off before the start",
    (QUEUED, UPLOADING): "the execution could not be started",
    (QUEUED, PLANNING): "the file is recognised and cut into parts",
    (QUEUED, FAILED): "the job stopped; the reason is kept",
    (QUEUED, CANCELLED): "stopped by its owner",
    (PLANNING, RUNNING): "the parts are scored side by side",
    (PLANNING, FAILED): "the job stopped; the reason is kept",
    (PLANNING, CANCELLED): "stopped by its owner",
    (RUNNING, DONE): "every row has a prediction",
    (RUNNING, DONE_WITH_ERRORS): "every row is accounted for; some could not be scored",
    (RUNNING, FAILED): "the job stopped; the reason and what was scored are kept",
    (RUNNING, CANCELLED): "stopped by its owner; what was scored is kept",
    (FAILED, QUEUED): "resumed: the parts that are missing are scored",
    (FAILED, DONE): "collected, and nothing was missing",
    (FAILED, DONE_WITH_ERRORS): "collected, and nothing was missing",
    (CANCELLED, QUEUED): "resumed: the parts that are missing are scored",
    (CANCELLED, DONE): "collected, and nothing was missing",
    (CANCELLED, DONE_WITH_ERRORS): "collected, and nothing was missing",
}


def check_change(changes: dict[tuple[str, str], str], old: str, new: str) -> None:
    """Raises: ValueError: the table does not allow the change; only a fault of ours asks for one."""
    if (old, new) not in changes:
        raise ValueError(f"What is {old} cannot become {new}.")


def leads_to(old: str, new: str) -> bool:
    """Can a batch have come from one state to the other while nobody looked, by states under way alone?"""
    if (old, new) in BATCH_CHANGES:
        return True
    between = [after for before, after in BATCH_CHANGES if before == old and after in UNDER_WAY]
    return old in UNDER_WAY and any(leads_to(after, new) for after in between)
