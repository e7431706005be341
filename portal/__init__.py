"""Portico's portal: the Django project.

Rooms, each may import those below it: urls > predictions > registry > accounts > gateways > errors.
`scanner` stands alone: it runs in a child process and knows nothing of Django.
"""
