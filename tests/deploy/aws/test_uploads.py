"""Files put to presigned addresses, as a server on this machine receives them."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from deploy.aws.uploads import TRIES, UploadRefused, put_files
from deploy.errors import DeployError


class Receiver(BaseHTTPRequestHandler):
    """Answers as `server.answers` says, one after the other, then 200; keeps what it was sent."""

    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, self.headers["Content-Type"], body))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *given):
        pass


@pytest.fixture
def bucket():
    """Where presigned addresses lead."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.received, server.answers = [], []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    server.url = f"http://127.0.0.1:{server.server_port}"
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "js").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html>")
    (tmp_path / "js" / "main.js").write_text("export {}")
    return tmp_path


def put(bucket, folder, *names, advance=lambda *given: None):
    put_files(folder, {name: f"{bucket.url}/{name}?X-Amz-Signature=0" for name in names}, advance, pause_s=0)


def test_each_file_arrives_whole_with_its_type_at_its_own_address(bucket, folder):
    shown = []

    put(bucket, folder, "js/main.js", "index.html", advance=lambda *given: shown.append(given))

    index, script = bucket.received
    assert index == ("/index.html?X-Amz-Signature=0", "text/html", b"<!doctype html>")
    assert script[0] == "/js/main.js?X-Amz-Signature=0"
    assert script[1].endswith("/javascript")
    assert shown == [(0, 2, "index.html"), (1, 2, "js/main.js"), (2, 2, "")]


def test_file_that_the_other_side_has_already_is_not_sent(bucket, folder):
    put(bucket, folder, "index.html")

    assert [path for path, _kind, _body in bucket.received] == ["/index.html?X-Amz-Signature=0"]


def test_upload_is_repeated_where_the_other_side_stumbles(bucket, folder):
    bucket.answers = [503, 500]

    put(bucket, folder, "index.html")

    assert len(bucket.received) == 3


def test_upload_that_fails_each_time_names_the_file_and_not_its_address(bucket, folder):
    bucket.answers = [503] * TRIES

    with pytest.raises(DeployError, match=r"index\.html could not be uploaded: it answers 503") as failed:
        put(bucket, folder, "index.html")

    assert len(bucket.received) == TRIES
    assert "Signature" not in str(failed.value)


def test_address_that_has_expired_is_told_at_once(bucket, folder):
    bucket.answers = [403]

    with pytest.raises(UploadRefused, match="no longer good"):
        put(bucket, folder, "index.html")

    assert len(bucket.received) == 1


def test_request_that_is_wrong_is_not_repeated(bucket, folder):
    bucket.answers = [400]

    with pytest.raises(DeployError, match="it answers 400"):
        put(bucket, folder, "index.html")

    assert len(bucket.received) == 1


def test_nobody_at_the_address_is_told_without_it(folder):
    with pytest.raises(DeployError, match="ConnectionError") as failed:
        put_files(folder, {"index.html": "http://127.0.0.1:1/?X-Amz-Signature=0"}, lambda *given: None, pause_s=0)

    assert "Signature" not in str(failed.value)
