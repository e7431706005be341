"""How gunicorn runs the portal, on every target; the caller adds --bind."""

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
