"""How gunicorn serves the page; the caller adds --bind and the application."""

worker_class = "gthread"
workers = 1
threads = 4
loglevel = "warning"
control_socket_disable = True
