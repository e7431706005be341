"""Serves an exported page on this machine, as a CDN would: gunicorn runs `make_app` as a child of `make up`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.site.export import CONFIG, headers_of

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

PREFIX = "/site/"
# The API and the bucket know the page's origin by this name alone.
HOST = "localhost"


def make_app(folder: str) -> WSGIApplication:
    """The page under /site/; whatever is asked for under another name or path leads there or is not found."""
    from whitenoise import WhiteNoise  # whoever only deploys has none

    said = headers_of(json.loads((Path(folder) / CONFIG).read_text("utf-8")))

    def add_headers(headers: Any, path: str, url: str) -> None:
        for name, value in said.items():
            headers[name] = value

    # Files are looked up anew each time: `deploy site` may replace them meanwhile.
    files = WhiteNoise(
        _answer_the_rest,
        root=folder,
        prefix=PREFIX,
        index_file=True,
        autorefresh=True,
        allow_all_origins=False,
        add_headers_function=add_headers,
    )
    return _known_by_one_name(files)


def _known_by_one_name(app: WSGIApplication) -> WSGIApplication:
    def answer(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        name, _, port = environ.get("HTTP_HOST", HOST).partition(":")
        if name == HOST:
            return app(environ, start)
        return _redirect(start, f"http://{HOST}:{port or environ['SERVER_PORT']}{PREFIX}")

    return answer


def _answer_the_rest(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
    if environ["PATH_INFO"] in ("/", PREFIX.rstrip("/")):
        return _redirect(start, PREFIX)
    start("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
    return [b"There is nothing here.\n"]


def _redirect(start: Callable[..., Any], address: str) -> list[bytes]:
    start("302 Found", [("Location", address)])
    return [b""]
