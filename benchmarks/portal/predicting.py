"""One prediction as a person asks for it: the portal's own time, the writing of its row included, the function's not.

    python -m benchmarks.portal.predicting ROUNDS

The gateway's call is answered here; what the portal makes of the answer is its own time again.
"""

import json
import random
import sys
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.test import Client

from benchmarks.portal.setup import worked_s  # isort: skip -- before all that needs Django
from benchmarks.portal.filling import ISLANDS, SPECIES
from portal.accounts.models import User
from portal.gateways import inference
from portal.predictions.models import Prediction

FIELDS = 5  # of the penguins' form, the last of them a text
# As long as a warm function takes. It is taken off again; a wait of none would keep the processor's caches warmer.
ANSWERS_AFTER_S = 0.005
AS_BROWSERS_DO = "application/x-www-form-urlencoded"


class Function:
    """Stands in for the function, behind the gateway's own reading of answers.

    Attributes:
        seconds: how long it was asked, in all
    """

    def __init__(self) -> None:
        self.seconds = 0.0

    def predict(self, *, slug: str, number: int, sha256: str, row: Mapping[str, Any], is_compiled: bool = False) -> Any:
        started = time.perf_counter()
        time.sleep(ANSWERS_AFTER_S)
        self.seconds += time.perf_counter() - started
        share = float(str(row["bill_length_mm"])) % 1
        return inference.Answer.from_json(
            {
                "output": {"type": "multiclass", "classes": list(SPECIES), "probabilities": True},
                "prediction": {"label": SPECIES[0], "value": None, "probabilities": [share, (1 - share) / 2, 0.1]},
                "start": "warm",
                "milliseconds": 1.0,
            }
        )


def main(rounds: int) -> None:
    """Prints the milliseconds of each post, on the clock and of the processor, and of each answer's own page."""
    function = Function()
    inference.predict = function.predict
    chance = random.Random(3)  # noqa: S311 -- made-up rows
    client, before = Client(), Prediction.objects.count()
    client.force_login(User.objects.get(username="person000"))
    posts, pages, cpu = [], [], []
    for _ in range(rounds + 5):
        form = {f"f{place}": str(round(chance.uniform(30, 60), 2)) for place in range(FIELDS)}
        form[f"f{FIELDS - 1}"] = chance.choice(ISLANDS)
        function.seconds, started, worked = 0.0, time.perf_counter(), worked_s()
        answer = client.post("/models/penguins/", urlencode(form), content_type=AS_BROWSERS_DO)
        posts.append(1000 * (time.perf_counter() - started - function.seconds))
        cpu.append(1000 * (worked_s() - worked))
        if answer.status_code != 302:
            raise RuntimeError(f"The prediction was not answered: {answer.status_code}")
        started = time.perf_counter()
        client.get(answer["Location"])
        pages.append(1000 * (time.perf_counter() - started))
    written = Prediction.objects.filter(state="answered").order_by("-created_at")[: rounds + 5]
    if Prediction.objects.count() - before != rounds + 5 or any(row.outcome != SPECIES[0] for row in written):
        raise RuntimeError("Not every prediction is in the history.")
    print(json.dumps({"posts": posts[5:], "pages": pages[5:], "posts_cpu": cpu[5:]}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
