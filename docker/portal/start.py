"""Starts the portal in its container: the stack's names, the database, the first login, the samples, then gunicorn, and
beside it what takes the API's answers into the history.

With arguments it is `manage.py` with the same environment, beside the portal that runs:
`docker-compose exec portal python start.py …`.

What is to last lies in PORTICO_STATE_DIR, a volume; the rest of the file system is read-only.
"""

import json
import os
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

STACK, SAMPLES = Path("/stack/outputs.json"), Path("/samples")
STATE = Path(os.environ["PORTICO_STATE_DIR"])
INGEST_SECONDS = 30


def main() -> None:
    """Never returns: gunicorn (or manage.py) takes this process's place, and with it its signals."""
    # On the volume rather than in memory: an upload through the portal may be half a gigabyte.
    temporary = STATE / "tmp"
    os.environ.update(read_stack(), TMPDIR=str(temporary))
    os.environ.setdefault("PORTICO_SECRET_KEY", secret_key())
    if sys.argv[1:]:
        os.execv(sys.executable, [sys.executable, "manage.py", *sys.argv[1:]])  # noqa: S606
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    make_database()
    if has_user_pool():
        print("People sign in by the user pool. To invite somebody: python -m deploy users add")
    else:
        make_first_login()
        load_samples()
    keep_ingesting()
    command = ["-m", "gunicorn", "--config", "portal/gunicorn.conf.py", "--bind", "0.0.0.0:8000"]
    command += ["--worker-tmp-dir", "/dev/shm"]  # noqa: S108 -- its heartbeat must not wait for a disk
    os.execv(sys.executable, [sys.executable, *command])  # noqa: S606


def read_stack() -> dict[str, str]:
    """What `deploy` left word of. After a restart of everything it is yesterday's, and still true.

    Nothing where the environment has it: `docker run --env-file`, with what `deploy outputs --format env` wrote.
    """
    if os.environ.get("PORTICO_BUCKET"):
        return {}
    try:
        return dict(json.loads(STACK.read_text()))
    except (OSError, ValueError) as error:
        sys.exit(f"The stack is not there yet ({error}). See why: docker-compose logs deploy")


def secret_key() -> str:
    """Made once, kept on the volume, readable by the portal only."""
    file = STATE / "secret_key"
    if not file.exists():
        with open(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as handle:
            handle.write(secrets.token_urlsafe(50))
    return file.read_text().strip()


def has_user_pool() -> bool:
    """Accounts are the pool's then, and models somebody's who signed in by it."""
    return bool(os.environ.get("PORTICO_USER_POOL_ID"))


def make_database() -> None:
    """Bring it up to date, and what lies in the bucket."""
    manage("migrate", "--verbosity", "0")
    print(manage("sign_models"), end="")
    print(manage("purge_batches"), end="")
    print(manage("purge_sessions"), end="")


def make_first_login() -> None:
    """Its password is known in this moment only, so it is said at once."""
    login = json.loads(manage("first_login").splitlines()[-1])
    address = os.environ.get("PORTICO_ORIGINS", "").partition(",")[0]
    print(f"Portico is at  {address}/\nSign in as     {login['username']}")
    if login["created"]:
        print(f"Password       {login['password']}   (shown this once; change it after signing in)")


def load_samples() -> None:
    """Once: a sample that somebody has deleted stays deleted. Without the samples the portal starts all the same."""
    loaded = STATE / "samples.loaded"
    if loaded.exists():
        return
    try:
        print(manage("load_samples", str(SAMPLES)), end="")
    except subprocess.CalledProcessError:
        print("The samples could not be loaded; the lines above say why. The next start tries again.")
    else:
        loaded.touch()


def keep_ingesting() -> None:
    """Start it; it ends with the container, and may end at any moment."""
    command = [sys.executable, "manage.py", "ingest_captures", "--every", str(INGEST_SECONDS)]
    subprocess.Popen(command)  # noqa: S603


def manage(*arguments: str) -> str:
    """Run `manage.py`; returns what it printed. Raises: CalledProcessError."""
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout  # noqa: S603


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(f"`manage.py {error.cmd[2]}` failed with code {error.returncode}; the lines above say why.")
