from django.apps import AppConfig


class PredictionsConfig(AppConfig):
    name = "portal.predictions"
    verbose_name = "Predictions"
