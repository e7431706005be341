"""Everything that changes what models exist. Each action leaves an Event row.

No transaction is held across a call to the cloud: a row says what is under way before, and the outcome after, so that a
crash leaves a version that can be checked again, or a change that can be made again.

    describing   a model, its events, its pictures
    uploading    a file comes in and becomes a version
    checking     the scan, the verify function, the settings of its page
    learning     what a version answers to its own training data
    claiming     one change of a model at a time
    living       live, rolled back, archived
    publishing   the pointer and the published page, as the database has them
    vouching     what the database knows, signed again in the bucket
"""

from portal.registry.actions.checking import BeingChecked, check, forget_interrupted
from portal.registry.actions.claiming import ANYTHING, last_switch
from portal.registry.actions.describing import add_picture, create_model, record, remove_picture
from portal.registry.actions.living import RowsMoved, archive, make_live, roll_back
from portal.registry.actions.publishing import mark, publish, publish_marked
from portal.registry.actions.uploading import (
    NewModel,
    Ticket,
    find_received,
    open_upload,
    read_ticket,
    receive,
    upload_version,
)
from portal.registry.actions.vouching import vouch_again

__all__ = [
    "ANYTHING",
    "BeingChecked",
    "NewModel",
    "RowsMoved",
    "Ticket",
    "add_picture",
    "archive",
    "check",
    "create_model",
    "find_received",
    "forget_interrupted",
    "last_switch",
    "make_live",
    "mark",
    "open_upload",
    "publish",
    "publish_marked",
    "read_ticket",
    "receive",
    "record",
    "remove_picture",
    "roll_back",
    "upload_version",
    "vouch_again",
]
