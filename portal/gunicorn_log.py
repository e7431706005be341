"""gunicorn's own log, in the portal's form: one line a request, when its answer is out."""

from datetime import timedelta
from typing import Any

from gunicorn.glogging import Logger

from portal import logs, request_ids

# Asked every few seconds by whatever keeps the portal, and several times a page: no news while they go well.
QUIET = ("/health/", "/static/")
FAILED_FROM = 400


class PortalLogger(Logger):
    """Errors and requests. A request's line has what `portal.logs.FACTS` names."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for handler in (*self.error_log.handlers, *self.access_log.handlers):
            handler.setFormatter(logs.make_formatter())

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta) -> None:
        asked = environ.get(request_ids.ENVIRON)
        method, path = environ.get("REQUEST_METHOD", ""), asked.request.path if asked else environ.get("PATH_INFO", "")
        status = int(str(resp.status).split(None, 1)[0])
        if path.startswith(QUIET) and status < FAILED_FROM:
            return
        took = round(request_time.total_seconds() * 1000)
        facts = {"method": method, "path": path, "status": status, "duration_ms": took}
        self.access_log.info("%s %s %s in %s ms", method, path, status, took, extra={**facts, "asked": asked})

    def exception(self, msg: Any, *args: Any, **kwargs: Any) -> None:
        """Without queries: gunicorn names the whole address."""
        bare = (arg.partition("?")[0] if isinstance(arg, str) else arg for arg in args)
        super().exception(msg, *bare, **kwargs)
