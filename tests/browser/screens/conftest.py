"""The published page's screens with played doors, as one person."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from portal.registry.published_page import document_of
from tests.browser.screens.played import ORIGIN, PlayedSite, answer_of
from tests.portal.factories import make_model, make_version

OpenSite = Callable[..., Page]


@pytest.fixture
def penguins() -> dict[str, Any]:
    """A page.json as the portal writes it."""
    version = make_version(make_model(target_label="Species", summary="Which of two penguins it is."))
    version.examples.create(name="A Gentoo", row={"bill_length_mm": 50.5, "island": "Biscoe", "year": 2008})
    return dict(json.loads(json.dumps(document_of(version))))


@pytest.fixture
def played(penguins: dict[str, Any]) -> PlayedSite:
    made = PlayedSite(api=lambda method, path, body: (200, answer_of(penguins)))
    made.publish(penguins)
    return made


@pytest.fixture
def open_site(browser: Browser, played: PlayedSite) -> Iterator[OpenSite]:
    """The page at a hash. Problems in the browser's console fail the test, those of its policy too."""
    problems: list[str] = []
    contexts = []

    def open_page(hash_: str = "#/", *, theme: str = "light", width: int = 1280) -> Page:
        context = browser.new_context(
            color_scheme=theme, viewport={"width": width, "height": 900}, accept_downloads=True
        )
        contexts.append(context)
        played.open_in(context)
        page = context.new_page()
        page.on("console", lambda message: problems.append(message.text) if is_problem(message) else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(f"{ORIGIN}/{hash_}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []


def is_problem(message: Any) -> bool:
    return message.type in ("error", "warning") and "Failed to load resource" not in message.text
