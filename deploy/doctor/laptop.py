"""What only the embedded target needs: this Python, the state folder and its disk."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from pathlib import Path

from deploy import bootstrap
from deploy.doctor.finding import Fault
from deploy.state import StateFolder

ENOUGH_BYTES = 2 * 10**9


def check_python(venv: str = bootstrap.VENV) -> str:
    """.venv has a Python that Portico runs on, and the packages as they are pinned now."""
    version = bootstrap.version_of(bootstrap.venv_python(venv))
    if not bootstrap.is_supported(version):
        found = f"Python {bootstrap.spell(version)}" if version else "no Python that starts"
        raise Fault(f"{venv} has {found}; Portico needs 3.11 to 3.13.", "Make it anew: make clean up")
    if not bootstrap.is_installed(venv, bootstrap.ROOT, "local"):
        raise Fault("The packages in .venv are not those that are pinned now.", "Install them: make up")
    return f"Python {bootstrap.spell(version)}, packages as pinned (this program runs on {platform.python_version()})"


def check_state_folder(state: StateFolder) -> str:
    """It can be written to, as the person who runs this."""
    mend = f"Make it yours: sudo chown -R $USER {state.root}, or choose another: PORTICO_STATE_DIR=/some/folder make up"
    if not state.root.is_dir():
        if state.root.exists():
            raise Fault(f"{state.root} is not a folder.", f"Move it away: mv {state.root} {state.root}.old")
        raise Fault(f"There is no Portico in {state.root} yet.", "Make one: make up")
    try:
        with tempfile.TemporaryFile(dir=state.root) as file:
            file.write(b"x")
    except OSError as error:
        raise Fault(f"{state.root} cannot be written to: {error.strerror}.", mend) from error
    foreign = [path.name for path in _kept(state) if path.exists() and not os.access(path, os.W_OK)]
    if foreign:
        raise Fault(f"{', '.join(foreign)} in {state.root} cannot be written to.", mend)
    return str(state.root)


def check_room(state: StateFolder) -> str:
    """Disk space where everything is kept."""
    existing = next(folder for folder in (state.root, *state.root.parents) if folder.is_dir())
    mend = "Make room, or choose a folder on another disk: PORTICO_STATE_DIR=/some/folder make up"
    return enough_room(shutil.disk_usage(existing).free, mend)


def enough_room(free_bytes: int, mend: str, least_bytes: int = ENOUGH_BYTES) -> str:
    free = f"{free_bytes / 10**9:.1f} GB free"
    if free_bytes < least_bytes:
        raise Fault(f"{free}: models and batches need {least_bytes / 10**9:.0f} GB.", mend)
    return free


def _kept(state: StateFolder) -> list[Path]:
    return [state.database, state.emulator, state.emulator / "objects", state.root / "secret_key"]
