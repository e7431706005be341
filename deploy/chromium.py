"""Sees to it that the browser tests have a Chromium: finds one, or installs Debian's where that is allowed.

Prints its path. Playwright's own download is not used: it is large, and not from the system's package source.
"""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def main() -> None:
    path = find_chromium() or _install()
    if path is None:
        print(
            "The browser tests need Chromium, and there is none. Install it: sudo apt install chromium "
            "(or name one that you have: CHROMIUM=/path/to/chromium make test)",
            file=sys.stderr,
        )
        sys.exit(1)
    print(path)


def find_chromium() -> str | None:
    """The one that CHROMIUM names, else the first on the PATH."""
    named = os.environ.get("CHROMIUM")
    return shutil.which(named) if named else next(filter(None, map(shutil.which, NAMES)), None)


def _install() -> str | None:
    """As root on Debian or Ubuntu only: nobody else is asked for a password in the middle of a test run."""
    if os.geteuid() != 0 or not shutil.which("apt-get") or "CHROMIUM" in os.environ:
        return None
    print("Installing Debian's chromium for the browser tests …", file=sys.stderr)
    quietly = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "chromium"]):
        answer = subprocess.run(command, env=quietly, stdout=subprocess.DEVNULL, check=False)  # noqa: S603
        if answer.returncode != 0:
            return None
    return find_chromium()


if __name__ == "__main__":
    main()
