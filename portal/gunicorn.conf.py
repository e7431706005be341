"""How gunicorn runs the portal, on every target; the caller adds --bind."""

from typing import Any

wsgi_app = "portal.wsgi:application"
worker_class = "gthread"
workers = 1
threads = 8
# Longer than the longest the portal waits for a function: a prediction must end with an answer, not with a dead worker.
timeout = 180
graceful_timeout = 5
loglevel = "warning"
accesslog = "-"
access_log_format = "%(m)s %(U)s %(s)s %(M)s ms"
control_socket_disable = True


def post_worker_init(worker: Any) -> None:
    """There is one worker: when it starts, whatever check the last one was at has died with it."""
    from portal.registry import actions  # gunicorn reads this file before Django is set up

    actions.forget_interrupted()
