"""Puts files where presigned addresses say, one after the other."""

from __future__ import annotations

import mimetypes
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import requests

from deploy.errors import DeployError

TRIES, TIMEOUT_S = 4, 60.0
# Without the machine's own list: the same file has the same type everywhere.
_TYPES = mimetypes.MimeTypes()


class UploadRefused(DeployError):
    """An address is no good, or no longer."""


def put_files(
    folder: Path, urls: Mapping[str, str], advance: Callable[[int, int, str], None], *, pause_s: float = 1.0
) -> None:
    """Put each file at its address. What the other side has already it gives no address for.

    Args:   urls: name under `folder` → presigned address; pause_s: before the first repetition, then twice as long
    Raises: UploadRefused: 403, so the address has expired; DeployError: it cannot be put there
    """
    with requests.Session() as session:
        for number, (name, url) in enumerate(sorted(urls.items())):
            advance(number, len(urls), name)
            _put(session, folder / name, url, pause_s=pause_s)
    advance(len(urls), len(urls), "")


def _put(session: requests.Session, file: Path, url: str, *, pause_s: float) -> None:
    content, kind = file.read_bytes(), _TYPES.guess_type(file.name)[0] or "application/octet-stream"
    problem = ""
    for attempt in range(TRIES):
        time.sleep(pause_s * 2 ** (attempt - 1) if attempt else 0)
        try:
            answer = session.put(url, data=content, headers={"Content-Type": kind}, timeout=TIMEOUT_S)
        except requests.RequestException as error:
            # Its text holds the address, which is a key of its own.
            problem = type(error).__name__
            continue
        if answer.ok:
            return
        problem = f"it answers {answer.status_code}"
        if answer.status_code == requests.codes.forbidden:
            raise UploadRefused(f"{file.name} could not be uploaded: its address is no longer good.")
        if answer.status_code < requests.codes.server_error:
            break
    raise DeployError(
        f"{file.name} could not be uploaded: {problem}. Nothing was published; run the same command again."
    )
