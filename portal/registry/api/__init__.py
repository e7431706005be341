"""Models over HTTP, for training pipelines: docs/contract.md section 7. A person's token takes the place of a login.

answers   who is asking, and every answer's form, refusals included
views     the calls
"""
