"""The one folder that holds everything a laptop's Portico keeps: `.portico`, or PORTICO_STATE_DIR."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from deploy.errors import DeployError

REPOSITORY = Path(__file__).parent.parent


def keep_secret(file: Path) -> str:
    """The secret in the file: made once, readable by its owner only."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        with open(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as handle:
            handle.write(secrets.token_urlsafe(48))
    return file.read_text().strip()


@dataclass(frozen=True)
class StateFolder:
    """Names of what is kept; `make up` owns the folder while it holds the lock."""

    root: Path

    @classmethod
    def from_environment(cls) -> StateFolder:
        return cls(Path(os.environ.get("PORTICO_STATE_DIR") or REPOSITORY / ".portico").absolute())

    @property
    def emulator(self) -> Path:
        return self.root / "emulator"

    @property
    def emulator_file(self) -> Path:
        """Says where the emulator answers while it runs: {"pid", "endpoint"}."""
        return self.root / "emulator.json"

    @property
    def database(self) -> Path:
        return self.root / "portal.sqlite3"

    @property
    def site(self) -> Path:
        """The published page, as it is served here."""
        return self.root / "site"

    @property
    def samples(self) -> Path:
        return self.root / "samples"

    @property
    def samples_loaded(self) -> Path:
        """Exists once the portal has taken the samples in."""
        return self.root / "samples.loaded"

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Raises: DeployError: another process uses this folder"""
        self.root.mkdir(parents=True, exist_ok=True)
        with open(self.root / "lock", "a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise DeployError(self._say_who_holds_it(file)) from None
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield

    def write_endpoint(self, pid: int, endpoint: str) -> None:
        self.emulator_file.write_text(json.dumps({"pid": pid, "endpoint": endpoint}) + "\n")

    def read_endpoint(self) -> str | None:
        """Where the emulator answers, if `make up` left word; it may have died since."""
        return self._read_emulator_file("endpoint")

    def read_pid(self) -> str | None:
        return self._read_emulator_file("pid")

    def forget_endpoint(self) -> None:
        self.emulator_file.unlink(missing_ok=True)

    def secret_key(self) -> str:
        """The portal's key."""
        return keep_secret(self.root / "secret_key")

    def manifest_key(self) -> str:
        """What manifests are signed with. It must outlive the stack: models in the bucket count by it alone."""
        return keep_secret(self.root / "manifest_key")

    def _read_emulator_file(self, field: str) -> str | None:
        try:
            return str(json.loads(self.emulator_file.read_text())[field])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _say_who_holds_it(self, file: IO[str]) -> str:
        file.seek(0)
        pid = file.read().strip() or "unknown"
        return (
            f"Portico is already running on {self.root} (process {pid}). Stop it there with Ctrl-C, "
            f"or start a second one on a folder of its own: PORTICO_STATE_DIR=/some/folder make up"
        )
