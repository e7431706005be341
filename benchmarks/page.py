"""The published page in a browser: how much it weighs, and when something of it is seen.

It is served from this machine, compressed as a content delivery network would; what is asked for is the door, at which
everybody begins. Nothing of the cloud side is spoken to.
"""

import gzip
import os
import shutil
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.report import Report
from deploy.embedded.ports import find_free_port
from deploy.embedded.processes import Supervisor
from deploy.embedded.site import serve_site
from deploy.site.export import write_site

_NOWHERE = "https://aws.invalid"
CONFIG = {
    "v": 1,
    "region": "us-east-1",
    "userPoolId": "us-east-1_aaaaaaaaa",
    "clientId": "a",
    "identityPoolId": "us-east-1:a",
    "issuerName": "cognito-idp.us-east-1.amazonaws.com/us-east-1_aaaaaaaaa",
    "apiUrl": f"{_NOWHERE}/prod",
    "bucket": "a",
    "endpoints": {name: f"{_NOWHERE}/" for name in ("cognitoIdp", "cognitoIdentity", "s3")},
    "models": None,
}
# As root, and on machines without the internet, Chromium needs to be told so.
_FLAGS = ["--no-sandbox", "--disable-background-networking"]
# What Lighthouse takes for a phone: 150 ms there and back, 1.6 Mbit/s, a processor a quarter as fast.
# Source: https://github.com/GoogleChrome/lighthouse/blob/main/docs/throttling.md
_PHONE = {"offline": False, "latency": 150, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 750e3 / 8}
_PHONE_SLOWER = 4
_SETTLES_MS = 500
_READ = """() => new Promise((resolve) => {
    new PerformanceObserver((list) => {
        const [page] = performance.getEntriesByType("navigation");
        const all = [page, ...performance.getEntriesByType("resource")];
        resolve({
            requests: all.length,
            sent: all.reduce((sum, entry) => sum + entry.encodedBodySize, 0),
            unpacked: all.reduce((sum, entry) => sum + entry.decodedBodySize, 0),
            first: performance.getEntriesByName("first-contentful-paint")[0].startTime,
            largest: list.getEntries().at(-1).startTime,
        });
    }).observe({ type: "largest-contentful-paint", buffered: true });
})"""


@dataclass(frozen=True)
class Device:
    """Where the page is opened."""

    name: str
    width: int
    is_slow: bool


DEVICES = [Device("desk", 1280, is_slow=False), Device("phone, slow 4G", 390, is_slow=True)]


def measure(*, rounds: int = 7) -> Report:
    """The published page in a browser: weight, first paint, accessibility. It needs Chromium, named by CHROMIUM."""
    with _served() as url, _chromium() as browser:
        rows = [_measure_on(device, browser, url, rounds) for device in DEVICES]
    return Report(
        title="The published page, opened for the first time",
        rows=rows,
        notes=[
            f"{rounds} rounds, nothing cached, medians; from this machine, so that a network's way is in it only where"
            " it is slowed: 150 ms, 1.6 Mbit/s and a processor a quarter as fast, as Lighthouse's phone.",
            "kB: thousands of bytes, sent with gzip, and unpacked. First paint: of anything; largest: of the largest"
            " part in view, which is the form to sign in. axe: what axe-core finds wrong for people who see, hear or"
            " move otherwise.",
        ],
    )


def _measure_on(device: Device, browser: Browser, url: str, rounds: int) -> dict[str, Any]:
    found = [_open(device, browser, url) for _ in range(rounds)]
    return {
        "device": device.name,
        "requests": found[0]["requests"],
        "kB sent": found[0]["sent"] / 1e3,
        "kB unpacked": found[0]["unpacked"] / 1e3,
        "first paint ms": statistics.median(one["first"] for one in found),
        "largest ms": statistics.median(one["largest"] for one in found),
        "axe": max(one["violations"] for one in found),
    }


def _open(device: Device, browser: Browser, url: str) -> dict[str, Any]:
    context = browser.new_context(viewport={"width": device.width, "height": 844})
    try:
        page = context.new_page()
        if device.is_slow:
            _slow_down(page)
        page.goto(url)
        page.get_by_role("button", name="Sign in").wait_for()
        page.wait_for_timeout(_SETTLES_MS)
        read = dict(page.evaluate(_READ))
        return {**read, "violations": len(Axe().run(page).response["violations"])}
    finally:
        context.close()


def _slow_down(page: Page) -> None:
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", _PHONE)
    session.send("Emulation.setCPUThrottlingRate", {"rate": _PHONE_SLOWER})


@contextmanager
def _served() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="portico-page-") as folder, Supervisor(is_quiet=True) as supervisor:
        site = write_site(CONFIG, Path(folder, "site"))
        for name in site.files:
            file = site.folder / name
            Path(f"{file}.gz").write_bytes(gzip.compress(file.read_bytes(), 9))
        yield serve_site(supervisor, site.folder, find_free_port())


@contextmanager
def _chromium() -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_FLAGS)
        try:
            yield browser
        finally:
            browser.close()
