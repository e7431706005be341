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
logger_class = "portal.gunicorn_log.PortalLogger"
control_socket_disable = True


def post_worker_init(worker: Any) -> None:
    """Say what starts. There is one worker: whatever check the last one was at has died with it."""
    from portal import running_as  # gunicorn reads this file before Django is set up
    from portal.registry import actions

    running_as.log_start()
    actions.forget_interrupted()


def post_request(worker: Any, request: Any, environ: Any, response: Any) -> None:
    """An answer that broke off has left its id in force."""
    from portal import request_ids

    request_ids.end()
