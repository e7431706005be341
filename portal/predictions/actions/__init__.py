"""Asking the model: one observation, or a file of them. Every question is a row before it is sent.

No transaction is held across a call to the cloud. What is started is written down before and after, so that a crash
leaves a batch that the next look can bring up to date.

    asking     one observation
    opening    a file comes in, and is looked at before it is scored
    running    started, followed, stopped, resumed
    keeping    files are deleted when their time is over
"""

from portal.predictions.actions.asking import predict_one
from portal.predictions.actions.keeping import link_to_result, purge_batches
from portal.predictions.actions.opening import (
    choose,
    fail_batch,
    has_arrived,
    look_at,
    open_batch,
    presign_input,
    store_input,
)
from portal.predictions.actions.running import cancel_batch, collect_batch, refresh_batch, resume_batch, start_batch

__all__ = [
    "cancel_batch",
    "choose",
    "collect_batch",
    "fail_batch",
    "has_arrived",
    "link_to_result",
    "look_at",
    "open_batch",
    "predict_one",
    "presign_input",
    "purge_batches",
    "refresh_batch",
    "resume_batch",
    "start_batch",
    "store_input",
]
