"""Who may what: the roles of deploy/template.yaml against a table of calls that must and must not be possible.

`resolving` gives the template's policies names, accounts and regions; `simulation` evaluates them as IAM does, as far
as the template goes; `matrix/` is the table; `calls` reads from the code which calls it makes; `page` writes
docs/permissions.md (`python -m tests.policies`). tests/containers/test_permissions.py asks LocalEmu the same.
May import deploy, and no other room.
"""
