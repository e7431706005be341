"""`python -m tests.policies` writes docs/permissions.md."""

from tests.policies.page import PAGE, write_page

PAGE.write_text(write_page(), "utf-8")
