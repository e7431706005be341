"""The console: Django's admin with Portico's look, for model owners and admins."""

from collections.abc import Callable
from typing import Any

from csp.constants import UNSAFE_EVAL, UNSAFE_INLINE
from csp.decorators import csp_update
from django.contrib.admin.apps import AdminConfig
from unfold.sites import UnfoldAdminSite

# The admin theme evaluates expressions in its markup and sets styles from script; nothing else of Portico does.
widen = csp_update({"script-src": [UNSAFE_EVAL], "style-src": [UNSAFE_INLINE]})


class Console(UnfoldAdminSite):
    """Signs in through the portal's own page, and widens the content security policy for the theme alone."""

    site_header = site_title = "Portico"
    index_title = "Console"

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        return widen(super().admin_view(view, cacheable))


class ConsoleConfig(AdminConfig):
    default_site = "portal.console.Console"
