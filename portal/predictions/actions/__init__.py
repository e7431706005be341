"""Asking the model: one observation, or a file of them. Every question is a row before it is sent.

No transaction is held across a call to the cloud. What is started is written down before and after, so that a crash
leaves a batch that the next look can bring up to date.

    asking     one observation
    answering  what an answer means with the settings of its version
    opening    a file comes in, and is looked at before it is scored
    running    started, followed, stopped, resumed
    following  how it stands, and the API's jobs
    keeping    files are deleted when their time is over
    ingesting  what the API answered comes into the history
    recording  each of its calls as a row
"""

from portal.predictions.actions.asking import predict_one
from portal.predictions.actions.ingesting import Ingested, ingest_captures
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
    "Ingested",
    "cancel_batch",
    "choose",
    "collect_batch",
    "fail_batch",
    "has_arrived",
    "ingest_captures",
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
