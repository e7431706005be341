"""The hooks that LocalStack calls. Nothing happens unless KEEPER_DIR names a folder."""

from __future__ import annotations

import logging
import os
import time
from dataclasses import dataclass
from pathlib import Path

from localstack import config
from localstack.aws import handlers
from localstack.runtime import get_current_runtime, hooks
from localstack.runtime.exceptions import LocalstackExit
from localstack.services.plugins import Service, aws_provider
from localstack.services.s3.provider import DEFAULT_S3_TMP_DIR, S3Provider

from ..folder import KeptFolder, UnusableFolder
from ..objects import ObjectShelf
from ..settling import Settler
from ..stacks import StackShelf
from .gate import Gate
from .restore import restore
from .stacks import StackListener
from .storage import KeeperStorage, LiveS3

LOG = logging.getLogger(__name__)
# Before LocalStack's own hooks: services are loaded and ready.d scripts are run by those.
_FIRST = 100


@dataclass
class _Keeper:
    """What lives as long as the process; the folder's lock among it."""

    folder: KeptFolder
    objects: ObjectShelf
    stacks: StackShelf
    storage: KeeperStorage
    live: LiveS3
    gate: Gate
    listener: StackListener


_keeper: _Keeper | None = None


@hooks.on_infra_start(priority=_FIRST)
def start_keeping() -> None:
    """Take the folder, and put ourselves into LocalStack's way before it hears a call."""
    global _keeper
    if not (path := os.environ.get("KEEPER_DIR")):
        LOG.warning("keeper: KEEPER_DIR is not set; nothing is kept over a restart")
        return
    try:
        folder = KeptFolder.open(Path(path))
    except UnusableFolder as error:
        raise LocalstackExit(f"keeper: {error}\n", code=1) from error
    objects, stacks, storage = ObjectShelf(folder), StackShelf(folder), KeeperStorage(DEFAULT_S3_TMP_DIR)
    live = LiveS3(storage)
    gate, listener = Gate(Settler(objects, live), live), StackListener(stacks)
    _keeper = _Keeper(folder, objects, stacks, storage, live, gate, listener)
    config.SERVICE_PROVIDER_CONFIG.set_provider("s3", "keeper")
    listener.install()
    handlers.preprocess_request.append(gate.admit)
    handlers.serve_custom_service_request_handlers.append(listener.note_call)
    handlers.run_custom_response_handlers.append(gate.keep)


@hooks.on_infra_ready(priority=_FIRST)
def bring_back() -> None:
    """Restore, then open. `/_localstack/init/ready` says completed only after this."""
    if _keeper is None:
        return
    started = time.monotonic()
    try:
        tally = restore(_keeper.objects, _keeper.stacks, _keeper.live)
    except BaseException:
        # Better no LocalStack than an empty one that takes orders.
        LOG.critical("keeper: what was kept could not be brought back; the folder is as it was", exc_info=True)
        get_current_runtime().exit(1)
        raise
    _keeper.listener.is_open = _keeper.gate.is_open = True
    LOG.warning("keeper: brought back %s in %.1f s", tally, time.monotonic() - started)


@aws_provider(api="s3", name="keeper")
def s3() -> Service:
    """LocalStack's own S3, with our storage."""
    assert _keeper is not None  # noqa: S101 - it is `start_keeping` that asks for this provider
    return Service.for_provider(S3Provider(_keeper.storage))
