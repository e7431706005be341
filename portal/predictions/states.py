"""The lives of a prediction and of a batch, as tables.

prediction   sending → answered      the container answered
             sending → refused       the model cannot take these values
             sending → failed        no answer came; a row left "sending" by a crash says so too

batch        uploading → running     the file is in place and the state machine was started
             uploading → failed      the file never arrived
             running → done          every row is accounted for
             running → failed        the job stopped; the reason is kept
"""

SENDING, ANSWERED, REFUSED, FAILED = "sending", "answered", "refused", "failed"
UPLOADING, RUNNING, DONE = "uploading", "running", "done"

PREDICTION_CHOICES = [(SENDING, "No answer yet"), (ANSWERED, "Answered"), (REFUSED, "Refused"), (FAILED, "Failed")]
BATCH_CHOICES = [(UPLOADING, "Uploading"), (RUNNING, "Running"), (DONE, "Done"), (FAILED, "Failed")]

PREDICTION_CHANGES = {(SENDING, ANSWERED), (SENDING, REFUSED), (SENDING, FAILED)}
BATCH_CHANGES = {(UPLOADING, RUNNING), (UPLOADING, FAILED), (RUNNING, DONE), (RUNNING, FAILED)}


def check_change(changes: set[tuple[str, str]], old: str, new: str) -> None:
    """Raises: ValueError: the table does not allow the change; only a fault of ours asks for one."""
    if (old, new) not in changes:
        raise ValueError(f"What is {old} cannot become {new}.")
