"""Stacks in the folder: for each, what CloudFormation was given the last time it succeeded."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from .files import from_json, sync_folders
from .folder import KeptFolder

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class KeptStack:
    """
    Attributes:
        first_kept: seconds since 1970; stacks come back in this order, so that imports find their exports
    """

    account: str
    region: str
    name: str
    template: str
    parameters: Mapping[str, str]
    capabilities: list[str]
    tags: list[dict[str, str]]
    first_kept: float = 0.0


class StackShelf:
    def __init__(self, folder: KeptFolder) -> None:
        self._folder = folder
        self._stacks = folder.root / "stacks"

    def keep(self, stack: KeptStack) -> None:
        """Write a stack over what was kept of it; on the disk when this returns."""
        path = self._path(stack.account, stack.region, stack.name)
        before = _read(path) if path.exists() else None
        first_kept = before.first_kept if before else time.time()
        self._folder.write_record(path, asdict(replace(stack, first_kept=first_kept)))

    def forget(self, account: str, region: str, name: str) -> None:
        path = self._path(account, region, name)
        if path.exists():
            path.unlink()
            sync_folders([path.parent])

    def list_stacks(self) -> list[KeptStack]:
        """Every stack that can be read, oldest first; the others are logged and left alone."""
        found = (_read(path) for path in self._stacks.glob("*.json"))
        return sorted((stack for stack in found if stack), key=lambda stack: stack.first_kept)

    def _path(self, account: str, region: str, name: str) -> Path:
        digest = hashlib.sha256(f"{account}/{region}/{name}".encode()).hexdigest()
        return self._stacks / f"{digest}.json"


def _read(path: Path) -> KeptStack | None:
    try:
        return KeptStack(**from_json(path.read_bytes()))
    except (OSError, ValueError, TypeError) as error:
        LOG.error("keeper: %s cannot be read, it is left as it is: %s", path, error)
        return None
