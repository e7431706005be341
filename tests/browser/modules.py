"""A page of one's own that imports the portal's ES modules, and what two pieces of HTML have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Route

STATIC = Path(__file__).parents[2] / "portal" / "static"
ORIGIN = "http://modules.example"
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html"}
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; require-trusted-types-for 'script'"

# HTML or nodes → nested lists in which only that is left which a person or a style sheet can tell apart.
NORMAL = """
(content) => {
  const holder = document.createElement("template");
  const trusted = trustedTypes.createPolicy("the tests' own", { createHTML: (html) => html });
  if (typeof content === "string") holder.innerHTML = trusted.createHTML(content);
  else holder.content.append(...content);
  const read = (node) => {
    const attributes = [...node.attributes]
      .map(({ name, value }) => [name, value.trim().split(/\\s+/).join(" ")])
      .sort(([one], [other]) => (one < other ? -1 : 1));
    node.normalize();
    const parts = [...node.childNodes]
      .map((child) => (child.nodeType === Node.TEXT_NODE ? child.data.replace(/\\s+/g, " ") : read(child)))
      .filter((part) => part !== " " && part !== "");
    const ends = parts.map((part, i) => {
      if (typeof part !== "string") return part;
      const left = i === 0 ? part.trimStart() : part;
      return i === parts.length - 1 ? left.trimEnd() : left;
    });
    return [node.localName, attributes, ends];
  };
  return [...holder.content.children].map(read);
}
"""


def open_modules(page: Page) -> Page:
    """Lets the page import `/portico/js/….js`, under the policy of the published page."""
    page.route(f"{ORIGIN}/**", _serve)
    page.goto(f"{ORIGIN}/")
    return page


def run(page: Page, module: str, script: str, *given: Any) -> Any:
    """What `script`, a function of the module's exports and of what is given, returns.

    In it `normal(html or nodes)` is what NORMAL makes of them.
    """
    code = f"async ([given]) => ({script})(await import('/portico/js/{module}'), {NORMAL}, ...given)"
    return page.evaluate(code, [list(given)])


def _serve(route: Route) -> None:
    path = route.request.url.removeprefix(ORIGIN)
    headers = {"Content-Security-Policy": POLICY}
    if path == "/":
        route.fulfill(body="<!doctype html><title>modules</title>", content_type="text/html", headers=headers)
        return
    file = STATIC / path.lstrip("/")
    route.fulfill(body=file.read_bytes(), content_type=TYPES[file.suffix], headers=headers)
