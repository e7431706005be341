"""The pages. A view parses, calls one action and answers; it may import actions, forms, models and below."""

from portal.predictions.views.batches import batch, download, new_batch, start_batch, template
from portal.predictions.views.history import export_history, history
from portal.predictions.views.models import about, home, picture
from portal.predictions.views.single import predict, prediction

__all__ = [
    "about", "batch", "download", "export_history", "history", "home", "new_batch", "picture", "predict", "prediction",
    "start_batch", "template",
]  # fmt: skip
