"""A bucket that can be read: `python object_stub.py PORT FOLDER`, with the files <n> and <n>.key. No dependencies.

Enough of S3 for what the predictor reads; real emulators are behind tests/predictor and tests/deploy.
"""

import hashlib
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit


def make_server(port: int, objects: dict[str, bytes]) -> ThreadingHTTPServer:
    class Bucket(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            key = unquote(urlsplit(self.path).path).lstrip("/").partition("/")[2]
            body = objects.get(key)
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Length", str(len(body or b"")))
            self.send_header("ETag", f'"{hashlib.md5(body or b"", usedforsecurity=False).hexdigest()}"')
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body or b"")

        do_HEAD = do_GET

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    return ThreadingHTTPServer(("127.0.0.1", port), Bucket)


if __name__ == "__main__":
    stored = {path.read_text(): path.with_suffix("").read_bytes() for path in Path(sys.argv[2]).glob("*.key")}
    make_server(int(sys.argv[1]), stored).serve_forever()
