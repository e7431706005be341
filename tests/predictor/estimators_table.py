"""Which of scikit-learn's estimators are served, and why not.

PYTHONPATH=.:lambda_docker python -m tests.predictor.estimators_table
"""

import collections

from tests.predictor.estimators import ESTIMATORS, NOT_SERVED, outcome
from tests.predictor.examining import examine


def main() -> None:
    outcomes = {name: outcome(name, examine) for name in ESTIMATORS}
    counts = collections.Counter(said.split(":")[0] for said in outcomes.values())
    print(f"{len(ESTIMATORS)} estimators: " + ", ".join(f"{count} {kind}" for kind, count in counts.most_common()))
    for name, said in outcomes.items():
        if said.startswith("refused"):
            print(f"  {name:25} {NOT_SERVED.get(name, 'NOT EXPECTED')}\n{'':27} {said[:200]}")
        elif name in NOT_SERVED:
            print(f"  {name:25} listed, but served {said}")


if __name__ == "__main__":
    main()
