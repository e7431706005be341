"""Brings what is kept of a key into line with what is there now.

Nothing here follows single calls. After each call that may have changed a key, the key is *settled*: its state at that
moment is read and kept, under a lock for that key. So of two calls that race the later state is kept, whichever of
them is settled first, and a call that changed nothing writes nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any, Protocol

from .files import Readable
from .objects import KeptBucket, KeptObject, ObjectShelf

_LOCKS = 64
_PATIENCE_S = 60.0
_PAUSE_S = 0.01


class Moved(Exception):
    """The content that was to be read belongs to a later object of the same key."""


class LiveObject(Protocol):
    """An object as S3 has it now."""

    @property
    def attributes(self) -> Mapping[str, Any]: ...
    @property
    def tags(self) -> Mapping[str, str]: ...
    @property
    def body(self) -> Path | None:
        """The kept file that its content is read from, if it is."""

    def read(self) -> AbstractContextManager[Readable]:
        """Raises: Moved"""

    def adopt(self, body: Path) -> None:
        """Read the content from this kept file from now on."""


class Live(Protocol):
    """S3 as it is now."""

    def bucket(self, name: str) -> KeptBucket | None: ...
    def object(self, bucket: str, key: str) -> LiveObject | None: ...
    def hold(self, bucket: str, body: Path) -> None:
        """This file will be removed; earlier versions of its object may still want to read it."""


class Settler:
    def __init__(self, shelf: ObjectShelf, live: Live) -> None:
        self._shelf = shelf
        self._live = live
        self._locks = [threading.Lock() for _ in range(_LOCKS)]

    def settle_bucket(self, name: str) -> None:
        """Raises: OSError: it is not kept"""
        with ExitStack() as stack:
            # All keys at once: an object of a new bucket must not go down with the old bucket of the same name.
            for lock in self._locks:
                stack.enter_context(lock)
            live = self._live.bucket(name)
            if live is None:
                self._shelf.forget_bucket(name)
            else:
                self._keep_bucket(live)

    def settle_objects(self, bucket: str, keys: Iterable[str]) -> None:
        """Raises: OSError: not all of them are kept"""
        for key in keys:
            with self._locks[hash((bucket, key)) % _LOCKS]:
                self._settle_object(bucket, key)

    def _settle_object(self, bucket: str, key: str) -> None:
        give_up = time.monotonic() + _PATIENCE_S
        while True:
            live_bucket, live = self._live.bucket(bucket), self._live.object(bucket, key)
            before = self._shelf.find(bucket, key)
            if live_bucket is None or live is None:
                if before:
                    self._live.hold(bucket, before.body)
                self._shelf.forget(bucket, [key])
                return
            try:
                self._keep_bucket(live_bucket)
                self._keep_object(bucket, key, live, before)
                return
            except (Moved, ValueError):
                # ValueError: the content was closed under our hands, because the object was deleted.
                if time.monotonic() > give_up:
                    raise
                time.sleep(_PAUSE_S)

    def _keep_bucket(self, live: KeptBucket) -> None:
        """Who made it is a fact of the day it was made."""
        before = self._shelf.find_bucket(live.name)
        if before is None or (before.versioning, before.account) != (live.versioning, live.account):
            self._shelf.keep_bucket(live)

    def _keep_object(self, bucket: str, key: str, live: LiveObject, before: KeptObject | None) -> None:
        with live.read() as content:
            attributes, tags = live.attributes, live.tags
            if before and live.body == before.body:
                if (before.attributes, before.tags) != (attributes, tags):
                    self._shelf.keep(bucket, key, attributes=attributes, tags=tags, body=before.body)
                return
            kept = self._shelf.keep(bucket, key, attributes=attributes, tags=tags, body=content)
            # While it is being read nobody can write to it: a later object must not get this one's content.
            live.adopt(kept.body)
        if before:
            self._live.hold(bucket, before.body)
            before.body.unlink(missing_ok=True)
