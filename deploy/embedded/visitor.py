"""A person with a browser, as far as a program can be one: cookies, pages, forms with their hidden fields.

Standard library only. Pages without JavaScript are pages that this visitor can use; all of the portal's are.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from html.parser import HTMLParser
from http.client import HTTPException
from http.cookiejar import CookieJar
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin, urlsplit
from urllib.request import HTTPCookieProcessor, ProxyHandler, Request, build_opener

from deploy.errors import DeployError

TIMEOUT_S = 60.0
_VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"})


@dataclass(frozen=True)
class Upload:
    """A file that a form takes."""

    name: str
    content: bytes
    content_type: str = "application/octet-stream"


@dataclass
class Form:
    """A form as it stands in a page.

    Attributes:
        action: where it is sent, as written
        fields: name → what it shows at first; a file field is there with an empty value
    """

    action: str
    is_multipart: bool = False
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
    """An answer."""

    url: str
    status: int
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @cached_property
    def html(self) -> PageReader:
        reader = PageReader()
        reader.feed(self.body.decode(errors="replace"))
        reader.close()
        return reader

    @property
    def text(self) -> str:
        """What a person reads, with single spaces."""
        return _spaced(self.html.words)

    def form_with(self, *names: str, action: str = "") -> Form:
        """The first form that has all these fields and, where asked for, is sent to this path.

        Raises: DeployError: there is none
        """
        for form in self.html.forms:
            if set(names) <= set(form.fields) and (not action or urlsplit(form.action).path == action):
                return form
        raise DeployError(f"{self.path} has no form {action} with {', '.join(names) or 'any fields'}. {self.complaint}")

    def link_to(self, pattern: str) -> str:
        """The first link whose address matches the whole regular expression.

        Raises: DeployError: there is none
        """
        for address in self.html.links:
            if re.fullmatch(pattern, address):
                return address
        raise DeployError(f"{self.path} has no link to {pattern}. {self.complaint}")

    def attribute(self, name: str) -> str | None:
        """The value of the first attribute of that name."""
        return self.html.attributes.get(name)

    @property
    def complaint(self) -> str:
        """What the page itself says is wrong, or how it begins."""
        alerts = [_spaced(words) for words in self.html.alerts]
        said = " ".join(alert for alert in alerts if alert) or self.text[:200]
        return f"It says: {said}"


class PageReader(HTMLParser):
    """Finds forms, links, alerts, exact figures (`<data value>`) and `data-` attributes in a page."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.alerts: list[list[str]] = []
        self.words: list[str] = []
        self.figures: list[str] = []
        self.attributes: dict[str, str] = {}
        self._open: list[str] = []
        self._form: Form | None = None
        self._text_area: str | None = None
        self._select: str | None = None
        self._alert_depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        for name, value in given.items():
            if name.startswith("data-"):
                self.attributes.setdefault(name, value)
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag == "data":
            self.figures.append(given.get("value", ""))
        if tag == "form":
            self._form = Form(given.get("action", ""), given.get("enctype") == "multipart/form-data")
            self.forms.append(self._form)
        if self._form is not None:
            self._read_field(self._form, tag, given)
        if tag not in _VOID:
            self._open.append(tag)
            if given.get("role") == "alert" and not self._alert_depth:
                self._alert_depth = len(self._open)
                self.alerts.append([])

    def handle_endtag(self, tag: str) -> None:
        while tag in self._open and self._open.pop() != tag:
            pass
        if len(self._open) < self._alert_depth:
            self._alert_depth = 0
        if tag == "form":
            self._form = None
        elif tag == "textarea":
            self._text_area = None
        elif tag == "select":
            self._select = None

    def handle_data(self, data: str) -> None:
        if self._form is not None and self._text_area is not None:
            self._form.fields[self._text_area] += data
        if self._open and self._open[-1] in ("script", "style"):
            return
        self.words.append(data)
        if self._alert_depth:
            self.alerts[-1].append(data)

    def _read_field(self, form: Form, tag: str, given: Mapping[str, str]) -> None:
        name = given.get("name", "")
        if tag == "option" and self._select is not None and ("selected" in given or self._select not in form.fields):
            form.fields[self._select] = given.get("value", "")
        if not name:
            return
        if tag == "textarea":
            self._text_area = name
            form.fields[name] = ""
        elif tag == "select":
            self._select = name
        elif tag == "input":
            is_option = given.get("type") in ("checkbox", "radio")
            if not is_option or "checked" in given:
                form.fields[name] = given.get("value", "on" if is_option else "")


class Visitor:
    """Goes from page to page with the cookies it was given."""

    def __init__(self, address: str) -> None:
        self._address = address
        self.cookies = CookieJar()
        # No proxy: what it visits runs on this machine.
        self._opener = build_opener(ProxyHandler({}), HTTPCookieProcessor(self.cookies))

    def get(self, path: str) -> Page:
        """Raises: DeployError: no answer, or another status than 200"""
        return self._ask(Request(urljoin(self._address, path)))  # noqa: S310 -- the address is the portal's

    def post(self, url: str, body: bytes, content_type: str) -> Page:
        """Raises: DeployError: no answer, or another status than 200"""
        request = Request(urljoin(self._address, url), data=body, headers={"Content-Type": content_type})  # noqa: S310
        return self._ask(request)

    def submit(self, page: Page, form: Form, **given: str | Upload) -> Page:
        """Send a form of a page, filled in; what is not given stays as it is. Redirects are followed.

        Raises: DeployError: it has no such field; no answer, or another status than 200
        """
        unknown = given.keys() - form.fields.keys()
        if unknown:
            raise DeployError(f"The form on {page.path} has no field {', '.join(sorted(unknown))}.")
        filled: dict[str, str | Upload] = {**form.fields, **given}
        url = urljoin(page.url, form.action)
        if form.is_multipart:
            return self.post(url, *multipart(filled))
        written = {name: value for name, value in filled.items() if isinstance(value, str)}
        return self.post(url, urlencode(written).encode(), "application/x-www-form-urlencoded")

    def _ask(self, request: Request) -> Page:
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as answer:
                return Page(answer.url, answer.status, answer.read())
        except HTTPError as answer:
            with answer:
                page = Page(answer.url or request.full_url, answer.code, answer.read())
            raise DeployError(f"{request.get_method()} {page.path} answered {page.status}. {page.complaint}") from None
        except (OSError, HTTPException) as error:
            path = urlsplit(request.full_url).path
            raise DeployError(f"{request.get_method()} {path} got no answer: {error}") from error


def multipart(fields: Mapping[str, str | Upload]) -> tuple[bytes, str]:
    boundary = uuid.uuid4().hex
    parts: list[bytes] = []
    for name, value in fields.items():
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'
        if isinstance(value, Upload):
            head += f'; filename="{value.name}"\r\nContent-Type: {value.content_type}'
        content = value.content if isinstance(value, Upload) else value.encode()
        parts += [head.encode(), b"\r\n\r\n", content, b"\r\n"]
    parts.append(f"--{boundary}--\r\n".encode())
    return b"".join(parts), f"multipart/form-data; boundary={boundary}"


def _spaced(words: list[str]) -> str:
    return re.sub(r"\s+", " ", " ".join(words)).strip()
