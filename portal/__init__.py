"""Portico's portal: the Django project.

Rooms, each may import those below it: urls > predictions > registry > accounts > gateways > errors, request_ids.
`scanner` stands alone: it runs in a child process and knows nothing of Django.
"""

VERSION = "0.1.0"  # as in pyproject.toml, which the container does not hold
