"""`python -m deploy.checking`: what checkov says of the template with everything in it.

It pins a boto3 that is not the emulator's, so it has an environment of its own (.checkov), made once from its pins.
What it is not asked about stands, with the reason, in checkov.yaml and in the Metadata of the resource it is about.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from deploy.template import TEMPLATE, read_template, settle_template

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / ".checkov"
PINS = ROOT / "requirements" / "checkov.txt"

# As much of the template as there is at once: nothing of it is on an emulator.
EVERYTHING = {
    "ImageUri": "portico@sha256:0",
    "WithCognito": "true",
    "WithRegistry": "true",
    "DomainPrefix": "sign-in",
    "ApiCorsOrigin": "https://main.d0123456789abc.amplifyapp.com",
    "PortalPrincipalArn": "arn:aws:iam::123456789012:role/portal",
    "GitHubRepository": "owner/name",
    "PredictConcurrency": "10",
    "WithAccessLogs": "true",
    "WithGatewayRole": "true",
    "WithWatch": "true",
    "WithBudget": "true",
    "AlarmEmail": "someone@example.org",
}


def main() -> int:
    """checkov's exit code: 0 where it finds nothing."""
    checkov = install()
    with tempfile.TemporaryDirectory(prefix="portico-checkov-") as folder:
        file = Path(folder) / "template.json"
        settled = settle_template(read_template(TEMPLATE.read_text("utf-8")), EVERYTHING)
        file.write_text(json.dumps(settled, indent=1), "utf-8")
        command = [checkov, "--file", file, "--config-file", TEMPLATE.with_name("checkov.yaml")]
        return subprocess.run([str(part) for part in command], check=False).returncode  # noqa: S603  # just installed


def install() -> Path:
    """The program, in an environment that is made again where the pins or the Python have changed."""
    program, stamp = HOME / "bin" / "checkov", HOME / "installed"
    wanted = f"{sys.version_info[:2]} {hashlib.sha256(PINS.read_bytes()).hexdigest()}"
    if not stamp.exists() or stamp.read_text() != wanted:
        print("Installing checkov into .checkov, once.", flush=True)
        _run(sys.executable, "-m", "venv", "--clear", str(HOME))
        pip = (str(HOME / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        _run(*pip, "--no-deps", "--require-hashes", "-r", str(PINS))
        stamp.write_text(wanted)
    return program


def _run(*command: str) -> None:
    subprocess.run(command, check=True)  # noqa: S603  # Python and pip


if __name__ == "__main__":
    sys.exit(main())
