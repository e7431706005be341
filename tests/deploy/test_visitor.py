"""The program that visits the portal: what it reads in a page, and what it sends."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from deploy.embedded.visitor import Page, Upload, Visitor
from deploy.errors import DeployError

PAGE = b"""<!doctype html><body data-state="done">
<form action="/search"><input name="q" value="x"></form>
<form method="post" enctype="multipart/form-data">
  <input type="hidden" name="token" value="a&amp;b"><input name="name" value="Ada"><input type="file" name="file">
  <input type="checkbox" name="off"><input type="checkbox" name="on" checked>
  <textarea name="notes">two
lines</textarea>
  <select name="kind">
    <option value="">Choose</option><option value="b" selected>B</option><option value="c">C</option>
  </select>
  <select name="order"><option value="">As found</option><option value="up">Up</option></select>
  <button>Send</button>
</form>
<p role="alert">The <b>file</b><br> is missing.</p><p>After.</p>
<data value="0.25">25 %</data><a href="/models/7/">Seven</a><script>not("words")</script>
</body>"""


@pytest.fixture
def upload_page():
    return Page("http://portal.test/upload/", 200, PAGE)


@pytest.fixture
def server():
    """An address that answers GET with a page and a cookie, POST with 503; and the list of what was asked."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self._answer(200)

        def do_POST(self):
            self._answer(503)

        def _answer(self, status):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked.append((self.path, dict(self.headers), body))
            self.send_response(status)
            self.send_header("Set-Cookie", "session=1")
            self.end_headers()
            self.wfile.write(PAGE)

        def log_message(self, *arguments):
            """Not into the tests' output."""

    with HTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}", asked
        running.shutdown()
        thread.join()


def test_form_holds_what_its_fields_show_at_first(upload_page):
    form = upload_page.form_with("token", "file")

    assert form.is_multipart
    assert form.fields == {
        "token": "a&b",
        "name": "Ada",
        "file": "",
        "on": "on",
        "notes": "two\nlines",
        "kind": "b",
        "order": "",
    }


def test_page_gives_its_figures_links_attributes_and_alert(upload_page):
    link, state = upload_page.link_to(r"/models/\d+/"), upload_page.attribute("data-state")

    assert (link, state, upload_page.html.figures) == ("/models/7/", "done", ["0.25"])
    assert upload_page.complaint == "It says: The file is missing."
    assert "not(" not in upload_page.text


@pytest.mark.parametrize("look", [lambda page: page.form_with("elsewhere"), lambda page: page.link_to("/models/")])
def test_page_without_what_is_looked_for_is_a_failure_with_the_pages_own_words(upload_page, look):
    with pytest.raises(DeployError, match=r"/upload/ has no .* It says: The file is missing\."):
        look(upload_page)


def test_submitted_form_carries_hidden_fields_file_and_cookie(server):
    address, asked = server
    visitor = Visitor(address)
    shown = visitor.get("/upload/")

    with pytest.raises(DeployError, match=r"POST /upload/ answered 503\. It says: The file is missing\."):
        visitor.submit(shown, shown.form_with("file"), file=Upload("m.pkl", b"\x80\r\n"), name="Bo")

    path, headers, body = asked[-1]
    assert (path, headers["Cookie"]) == ("/upload/", "session=1")
    assert b'name="token"\r\n\r\na&b\r\n' in body
    assert b'name="name"\r\n\r\nBo\r\n' in body
    assert b'name="file"; filename="m.pkl"\r\nContent-Type: application/octet-stream\r\n\r\n\x80\r\n\r\n' in body


def test_submitted_form_refuses_a_field_that_the_page_does_not_have(upload_page):
    with pytest.raises(DeployError, match=r"no field colour"):
        Visitor("http://portal.test").submit(upload_page, upload_page.form_with("file"), colour="red")


def test_nobody_at_the_address_is_a_failure_that_names_the_page():
    with pytest.raises(DeployError, match="GET /somewhere got no answer"):
        Visitor("http://127.0.0.1:9").get("/somewhere")
