from django.contrib import admin
from unfold.admin import ModelAdmin

from portal.registry.models import Model


@admin.register(Model)
class ModelModelAdmin(ModelAdmin):
    list_display = ["name"]
