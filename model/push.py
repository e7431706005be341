"""Upload a fitted model to Portico, have it checked, and make it live: from a shell, a script, a schedule.

    PORTICO_API_TOKEN=… python -m model.push model.joblib --model churn --live --url http://127.0.0.1:8000

or `from model.push import push`. It needs the standard library only and may be copied as this one file. The file goes
straight to the bucket, a piece at a time: none is ever whole in memory.
Source: docs/contract.md section 7
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import secrets
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

PIECE_BYTES = 256 * 1024
ANSWER_WITHIN_S = 60
CHECKED_WITHIN_S = 15 * 60
ASK_EVERY_S = 1.0
MIB = 1024**2

Say = Callable[[str], object]


class PushError(Exception):
    """It did not work out; the message says why and what to do. `reasons`: what a check said against the file."""

    def __init__(self, message: str, *, code: str = "", reasons: tuple[str, ...] = ()) -> None:
        super().__init__("\n  ".join([message, *reasons]))
        self.code = code
        self.reasons = reasons


class Meter:
    """Tells how far a transfer is: on a terminal in one line that changes, elsewhere in a few lines."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._is_terminal = sys.stderr.isatty()
        self._told = -1

    def at(self, sent: int, all_bytes: int) -> None:
        percent = 100 * sent // all_bytes
        step = percent if self._is_terminal else percent // 25 * 25
        if step == self._told:
            return
        self._told = step
        words = f"Uploading: {sent / MIB:.1f} of {all_bytes / MIB:.1f} MB, {percent} %"
        if not self._is_terminal:
            self._say(words)
            return
        print(f"\r{words}", end="\n" if sent == all_bytes else "", file=sys.stderr, flush=True)


def push(
    file: str | Path,
    *,
    model: str,
    live: bool = False,
    url: str = "http://127.0.0.1:8000",
    token: str = "",
    name: str = "",
    notes: str = "",
    say: Say = print,
) -> dict[str, Any]:
    """Upload a file as the next version of a model, have it checked and, with `live`, make it answer.

    Args:    model: its short name; one that is not there yet is made; token: PORTICO_API_TOKEN where it is empty
    Returns: the version: docs/contract.md section 7
    Raises:  PushError: it was refused, or the portal could not be reached; OSError: the file cannot be read
    """
    portal = Portal(url, token or os.environ.get("PORTICO_API_TOKEN", ""))
    path, slug = Path(file), quote(model, safe="")
    size_bytes = path.stat().st_size
    opened = portal.post(f"models/{slug}/uploads/", {"file_name": path.name, "size_bytes": size_bytes})
    send_form(opened["url"], opened["fields"], path, Meter(say))
    made = portal.post(f"models/{slug}/versions/", {"ticket": opened["ticket"], "name": name, "notes": notes})
    version = f"models/{slug}/versions/{made['version']}/"
    say(f"It is version {made['version']} of {model}: {made['page']}")
    checked = watch_check(portal, version, say)
    if checked["state"] not in ("ready", "live"):
        raise PushError(f"Version {made['version']} was rejected:", code="rejected", reasons=tuple(checked["reasons"]))
    for words in [*checked["warnings"], *(flag["message"] for flag in checked["flags"])]:
        say(f"Note: {words}")
    say(f"Version {made['version']} passed the check.")
    if live:
        checked = portal.post(version + "live/", {})
        say(f"Version {made['version']} of {model} is live.")
    return checked


class Portal:
    """The portal's API at one address, in one person's name."""

    def __init__(self, url: str, token: str) -> None:
        if not token:
            raise PushError("Set PORTICO_API_TOKEN. The portal's page “Tokens for programs” makes one.")
        self._url, self._token = url.rstrip("/"), token

    def get(self, path: str) -> dict[str, Any]:
        return self._ask("GET", path, None, ANSWER_WITHIN_S)

    def post(self, path: str, content: Mapping[str, Any], *, within_s: float = ANSWER_WITHIN_S) -> dict[str, Any]:
        return self._ask("POST", path, content, within_s)

    def _ask(self, method: str, path: str, content: Any, within_s: float) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        connection, base = connect(self._url, within_s)
        try:
            connection.request(method, f"{base}/api/{path}", None if content is None else json.dumps(content), headers)
            answer = connection.getresponse()
            status, body = answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise PushError(f"{self._url} cannot be reached: {error}", code="unreachable") from error
        finally:
            connection.close()
        return read_answer(status, body, self._url)


def read_answer(status: int, body: bytes, url: str) -> dict[str, Any]:
    """The JSON that came. Raises: PushError: it says that something is wrong, or it is no answer of a portal"""
    try:
        content = json.loads(body)
        error = content.get("error")
    except (ValueError, AttributeError) as fault:
        raise PushError(
            f"{url} answered with status {status}, but not as Portico does. Is it the portal's address?"
        ) from fault
    if error or status >= 400:
        error = error or {}
        raise PushError(error.get("message") or f"{url} answered with status {status}.", code=error.get("code", ""))
    return dict(content)


def send_form(url: str, fields: Mapping[str, str], path: Path, meter: Meter) -> None:
    """Post a file to the bucket. Raises: PushError: the bucket did not take it"""
    boundary = f"portico-{secrets.token_hex(16)}"
    head = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    head += f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="model"\r\n'
    head += "Content-Type: application/octet-stream\r\n\r\n"
    first, last = head.encode(), f"\r\n--{boundary}--\r\n".encode()
    headers = {
        "Content-Type": f"multipart/form-data; boundary={boundary}",
        "Content-Length": str(len(first) + path.stat().st_size + len(last)),
    }
    connection, base = connect(url, ANSWER_WITHIN_S)
    try:
        connection.request("POST", base or "/", pieces(first, path, last, meter), headers)
        answer = connection.getresponse()
        status, body = answer.status, answer.read(2000)
    except (OSError, http.client.HTTPException) as error:
        raise PushError(f"The transfer broke off: {error}. Nothing was kept; try again.", code="broken") from error
    finally:
        connection.close()
    if status >= 300:
        raise PushError(f"The bucket did not take the file (status {status}): {body.decode(errors='replace')}")


def pieces(first: bytes, path: Path, last: bytes, meter: Meter) -> Iterator[bytes]:
    all_bytes, sent = path.stat().st_size, 0
    yield first
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece
            sent += len(piece)
            meter.at(sent, all_bytes)
    yield last


def connect(url: str, within_s: float) -> tuple[http.client.HTTPConnection, str]:
    """A connection, and the path of the address."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise PushError(f"{url} is no address: it must begin with http:// or https://")
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    return kind(parts.hostname, parts.port, timeout=within_s), parts.path


def watch_check(portal: Portal, version: str, say: Say) -> dict[str, Any]:
    """Have a version checked, and tell the stages. A proxy may cut the long call: the check goes on all the same.

    Returns: the version, once its check has ended
    """
    failed: list[PushError] = []

    def run() -> None:
        try:
            portal.post(version + "check/", {}, within_s=CHECKED_WITHIN_S)
        except PushError as error:
            failed.append(error)

    call = threading.Thread(target=run, daemon=True)
    call.start()
    told, ends = "", time.monotonic() + CHECKED_WITHIN_S
    while time.monotonic() < ends:
        call.join(ASK_EVERY_S)
        state = portal.get(version)
        if state["stage_words"] and state["stage_words"] != told:
            told = state["stage_words"]
            say(f"{told} …")
        if state["state"] not in ("uploaded", "checking"):
            return state
        if not call.is_alive() and state["checking_seconds"] is None:
            raise failed[0] if failed else PushError("The check was interrupted. Begin it again on the version's page.")
    raise PushError("The check takes too long to wait for. The version's page shows how far it is.")


def main(arguments: list[str] | None = None) -> int:
    """Returns: 0, or 1 where the model was refused or did not get there"""
    parser = argparse.ArgumentParser(prog="push", description="Upload a fitted model to Portico and have it checked.")
    parser.add_argument("file", type=Path, help="a pickle, joblib or skops file, or a zipped MLflow model")
    parser.add_argument("--model", required=True, metavar="SLUG", help="the model's short name; a new one is made")
    parser.add_argument("--live", action="store_true", help="make it live if it passes the check")
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="the portal's address (default: %(default)s)")
    parser.add_argument("--name", default="", help="what colleagues see; for a model that is not there yet")
    parser.add_argument("--notes", default="", help="what changed, where the data comes from, how good it is")
    options = vars(parser.parse_args(arguments))
    try:
        push(options.pop("file"), **options, say=lambda words: print(words, flush=True))
    except (PushError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
