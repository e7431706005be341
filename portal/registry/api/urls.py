from django.urls import path, re_path

from portal.registry.api import views

app_name = "api"
VERSION = "models/<str:slug>/versions/<int:number>/"
urlpatterns = [
    path("models/<str:slug>/uploads/", views.open_upload, name="uploads"),
    path("models/<str:slug>/versions/", views.make_version, name="versions"),
    path(VERSION, views.version, name="version"),
    path(VERSION + "check/", views.check, name="check"),
    path(VERSION + "live/", views.make_live, name="live"),
    re_path(r"^(?P<rest>.*)$", views.unknown),
]
