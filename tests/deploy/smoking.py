"""What the smoke tests of all targets have in common."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
# The steps of a user, the same on every target.
JOURNEY = [
    "Asking scikit-learn itself",
    "Signing in",
    "Uploading a model, and its check",
    "Making it live",
    "Predicting one observation",
    "Scoring a file",
    "Reading the history and its export",
    "Calling the API",
    "Serving a model that has no tables",
    "Signing out",
]


def start(tmp_path, *arguments):
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
