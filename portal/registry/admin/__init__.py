"""The console's pages about models: the list, a model, a version, uploading, making live."""

from portal.registry.admin.models import ModelAdmin
from portal.registry.admin.versions import VersionAdmin

__all__ = ["ModelAdmin", "VersionAdmin"]
