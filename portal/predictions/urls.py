from django.urls import path

from portal.predictions import views

app_name = "predictions"
urlpatterns = [
    path("", views.home, name="home"),
    path("models/<slug:slug>/", views.predict, name="predict"),
    path("models/<slug:slug>/about/", views.about, name="about"),
    path("models/<slug:slug>/about/<int:number>/pictures/<int:position>.png", views.picture, name="picture"),
    path("models/<slug:slug>/batch/", views.new_batch, name="new_batch"),
    path("models/<slug:slug>/batch/template.csv", views.template, name="template"),
    path("predictions/<uuid:pk>/", views.prediction, name="prediction"),
    path("batches/<uuid:pk>/", views.batch, name="batch"),
    path("batches/<uuid:pk>/start/", views.start_batch, name="start_batch"),
    path("batches/<uuid:pk>/cancel/", views.cancel_batch, name="cancel_batch"),
    path("batches/<uuid:pk>/resume/", views.resume_batch, name="resume_batch"),
    path("batches/<uuid:pk>/collect/", views.collect_batch, name="collect_batch"),
    path("batches/<uuid:pk>/download/", views.download, name="download"),
    path("history/", views.history, name="history"),
    path("history/export.csv", views.export_history, name="export_history"),
]
