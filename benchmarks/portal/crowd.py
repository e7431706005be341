"""Fifty people predicting at once on the stack of `make up`: gunicorn, the emulator, the real function."""

import json
import random
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from deploy.embedded.portal import manage
from deploy.embedded.ports import find_free_port
from deploy.embedded.processes import Supervisor
from deploy.embedded.run import bypass_proxies
from deploy.embedded.starting import start_everything
from deploy.embedded.visitor import Visitor
from deploy.errors import DeployError
from deploy.state import StateFolder

MODEL, PASSWORD = "four-variables", "a-calm-harbour-7"  # noqa: S105 -- of made-up people on a throw-away database
MAKE_PEOPLE = """
from django.contrib.auth.hashers import make_password
from portal.accounts import actions, roles
from portal.accounts.models import User
password = make_password({password!r})
for number in range({people}):
    actions.assign_role(User.objects.create(username=f"crowd{{number:02}}", password=password), roles.PREDICTOR)
"""
# A sign-in counts as a failed one until it is through, and twenty from one address are the most there may be.
DOOR = threading.Semaphore(8)
A_MINUTE = 25  # thirty from one address in a minute are the most there may be, right or wrong
# Each person's answered rows, and all others; printed as the last line.
COUNT_ROWS = """
import json
from portal.predictions.models import Prediction
rows = Prediction.objects.filter(user__username__startswith="crowd").values_list("user__username", "state", "id")
print(json.dumps([[user, state, str(key)] for user, state, key in rows]))
"""


@dataclass
class Outcome:
    """What happened.

    Attributes:
        seconds: of each prediction, the answer's page included; errors: what was said instead
        answers: the paths of the answers' pages, as people got them
        rows: [user, state, id] of every row that was written
    """

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    wall_s: float = 0.0

    @property
    def lost(self) -> int:
        """Answers that people saw and that no answered row stands for."""
        kept = {key for _, state, key in self.rows if state == "answered"}
        return sum(path.strip("/").rpartition("/")[2] not in kept for path in self.answers)


def run_crowd(folder: Path, *, people: int, predictions: int, database_url: str = "") -> Outcome:
    """Everybody signs in, waits for the others, and predicts as fast as answers come."""
    bypass_proxies()
    with Supervisor(is_quiet=True) as supervisor:
        portico = start_everything(
            StateFolder(folder),
            supervisor,
            portal_port=find_free_port(),
            emulator_port=find_free_port(),
            database_url=database_url,
        )
        manage(supervisor, portico.variables, "shell", "-c", MAKE_PEOPLE.format(password=PASSWORD, people=people))
        outcome, start = Outcome(), threading.Barrier(people + 1)
        threads = [
            threading.Thread(target=_predict, args=(portico.url, number, predictions, start, outcome))
            for number in range(people)
        ]
        for thread in threads:
            thread.start()
        start.wait()
        started = time.perf_counter()
        for thread in threads:
            thread.join()
        outcome.wall_s = time.perf_counter() - started
        said = manage(supervisor, portico.variables, "shell", "-v", "0", "-c", COUNT_ROWS, is_quiet=True)
        outcome.rows = json.loads(said.splitlines()[-1])
        return outcome


def _predict(url: str, number: int, predictions: int, start: threading.Barrier, outcome: Outcome) -> None:
    visitor, chance = Visitor(url), random.Random(number)  # noqa: S311 -- made-up rows
    time.sleep(61 * (number // A_MINUTE))
    try:
        with DOOR:
            page = visitor.get("/")
            visitor.submit(page, page.form_with("username"), username=f"crowd{number:02}", password=PASSWORD)
        page = visitor.get(f"/models/{MODEL}/")
    except DeployError as error:
        outcome.errors.append(str(error))
        start.wait()
        return
    start.wait()
    for _ in range(predictions):
        started = time.perf_counter()
        try:
            values = {f"f{place}": str(round(chance.uniform(-1, 1), 3)) for place in range(4)}
            page = visitor.submit(page, page.form_with(*values), **values)
        except DeployError as error:
            outcome.errors.append(str(error))
            continue
        outcome.seconds.append(time.perf_counter() - started)
        outcome.answers.append(page.path)
