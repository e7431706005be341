"""docs/permissions.md says what the table says."""

from tests.policies.matrix import PARTS
from tests.policies.page import PAGE, write_page


def test_page_is_what_the_table_makes_of_it():
    assert PAGE.read_text("utf-8") == write_page(), "Write it again: python -m tests.policies"


def test_page_has_every_role_and_every_reason():
    page = write_page()

    assert [part.title for part in PARTS if f"## {part.title}\n" not in page] == []
    assert [line.why for part in PARTS for line in part.lines if f"| {line.why} |" not in page] == []
