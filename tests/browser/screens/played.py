"""The published page with played doors: who is in, what the bucket holds and what the API says is the test's.

The page's own modules are the real ones, but for those that speak to Cognito and to S3 (session, aws, config, sign_in).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Route

ROOT = Path(__file__).parents[3]
PAGE, STATIC = ROOT / "deploy" / "site" / "page", ROOT / "portal" / "static" / "portico"
ORIGIN = "https://site.example"
SUB = "5e2c6a9e-0000-4000-8000-000000000001"
JOB = "0b5d0c7e-1111-4111-8111-000000000002"
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'none'; "
    "base-uri 'none'; require-trusted-types-for 'script'"
)
STAND_INS = {
    "js/config.js": 'export const config = { apiUrl: "/api", models: null };',
    "js/errors.js": """
        export class Told extends Error { forPeople = true; }
        export class Away extends Told {}
        export class SignedOut extends Told {}""",
    "js/session.js": """
        const listeners = [];
        export const session = {
          person: PERSON,
          async idToken() { return "token"; },
          async renew() { return "renewed"; },
          async signOut() { this.person = null; listeners.forEach((tell) => tell(null)); },
          onChange(tell) { listeners.push(tell); },
        };""",
    "js/aws.js": """
        import { Told } from "./errors.js";
        import { session } from "./session.js";
        export const ENDINGS = [".csv", ".csv.gz", ".parquet"];
        export async function getObject(key, { etag } = {}) {
          const headers = etag ? { "If-None-Match": etag } : {};
          const answer = await fetch(`/bucket/${key}`, { cache: "no-store", headers });
          const json = answer.status === 200 ? await answer.json() : null;
          return { status: answer.status, json, etag: answer.headers.get("ETag") };
        }
        export async function putObject(key, file, { onProgress, signal }) {
          onProgress(1, 4);
          const answer = await fetch(`/bucket/${key}`, { method: "PUT", body: file, signal });
          if (!answer.ok) throw new Told("The store did not take the file. Has it changed since it was chosen?");
        }
        export function fileKeyFor({ name }) {
          if (!name.endsWith(".csv")) throw new Told("Choose a file in CSV.");
          return `${session.person.sub}/1_${name}`;
        }""",
    "js/screens/sign_in.js": """
        export function showSignIn(root) {
          root.className = "page-door";
          root.replaceChildren(Object.assign(document.createElement("h1"), { textContent: "Sign in" }));
        }""",
}

Answer = tuple[int, Any]


@dataclass
class PlayedSite:
    """What the page finds. `api` answers each call (method, path, body) with a status and JSON; `calls` keeps them."""

    groups: tuple[str, ...] = ("predictor",)
    objects: dict[str, Any] = field(default_factory=dict)
    api: Callable[[str, str, Any], Answer] = lambda method, path, body: (503, {"message": "Nothing is played."})
    calls: list[tuple[str, str, Any]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    uploads: dict[str, bytes] = field(default_factory=dict)
    is_upload_stuck: bool = False

    def publish(self, *documents: dict[str, Any]) -> None:
        """These models are live, as the portal writes them."""
        entries = [
            {name: page[name] for name in ("slug", "name", "summary", "result_label", "version")}
            | {"values": len(page["features"])}
            for page in documents
        ]
        self.objects = {f"pages/{page['slug']}/page.json": page for page in documents}
        self.objects["pages/index.json"] = {"v": 1, "models": entries}

    def open_in(self, context: BrowserContext) -> None:
        context.route(f"{ORIGIN}/**", self._serve)

    def _serve(self, route: Route) -> None:
        path = route.request.url.removeprefix(ORIGIN).lstrip("/").partition("?")[0] or "index.html"
        if path.startswith("api/"):
            self._answer(route, path.removeprefix("api/"))
        elif path.startswith("bucket/"):
            self._keep(route, path.removeprefix("bucket/"))
        else:
            self._send_file(route, path)

    def _send_file(self, route: Route, path: str) -> None:
        file = STATIC / path.removeprefix("portico/") if path.startswith("portico/") else PAGE / path
        person = json.dumps({"sub": SUB, "email": "ada@example.org", "groups": self.groups})
        body = STAND_INS[path].replace("PERSON", person) if path in STAND_INS else file.read_text("utf-8")
        route.fulfill(body=body, content_type=TYPES[file.suffix], headers={"Content-Security-Policy": POLICY})

    def _answer(self, route: Route, path: str) -> None:
        request = route.request
        body = request.post_data_json if request.post_data else None
        self.tokens.append(request.headers["authorization"])
        self.headers.append(request.headers)
        self.calls.append((request.method, path, body))
        status, content = self.api(request.method, path, body)
        route.fulfill(status=status, json=content, headers={"X-Request-Id": "0123abcd"})

    def _keep(self, route: Route, key: str) -> None:
        request = route.request
        if request.method == "PUT":
            if not self.is_upload_stuck:
                self.uploads[key] = request.post_data_buffer or b""
                route.fulfill(status=200)
            return
        content = self.objects.get(key)
        etag = f'"{hash(json.dumps(content, sort_keys=True))}"'
        if content is None:
            route.fulfill(status=404)
        elif request.headers.get("if-none-match") == etag:
            route.fulfill(status=304)
        else:
            route.fulfill(json=content, headers={"ETag": etag})


def answer_of(page: dict[str, Any], **prediction: Any) -> dict[str, Any]:
    """What the API says of a row."""
    given = {"label": "Gentoo", "value": None, "probabilities": [0.25, 0.75], "scores": None}
    return {
        "ok": True,
        "model": {name: page[name] for name in ("slug", "version", "sha256")},
        "output": page["output"],
        "prediction": given | prediction,
        "start": "warm",
        "milliseconds": 1.83,
        "request_id": "0123abcd",
    }
