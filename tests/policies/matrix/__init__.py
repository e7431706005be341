"""The table: who must be able to do what, and what not. Each module is one page of docs/permissions.md.

Every call that the code makes is in it (`tests/policies/test_calls.py`), and every statement, action, resource and
condition of the template's policies is needed by a line of it (`tests/policies/test_matrix.py`).
"""

from tests.policies.matrix.batches import BATCHES, BUCKET, GATEWAY
from tests.policies.matrix.ci import CI
from tests.policies.matrix.functions import DOOR, PREDICT, PREDICT_SMALL, VERIFY
from tests.policies.matrix.portal import BROWSER, PORTAL
from tests.policies.matrix.rows import Case, Part
from tests.policies.matrix.watch import WATCH

PARTS: list[Part] = [PORTAL, BROWSER, PREDICT, PREDICT_SMALL, VERIFY, DOOR, BATCHES, GATEWAY, BUCKET, CI, WATCH]
CASES: list[Case] = [case for part in PARTS for case in part.cases()]

__all__ = ["CASES", "PARTS", "Case", "Part"]
