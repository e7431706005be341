"""The pages. A view parses, calls one action and answers; it may import actions, forms, models and below."""

from portal.predictions.views.batches import batch, download
from portal.predictions.views.history import export_history, history
from portal.predictions.views.models import about, home, picture
from portal.predictions.views.running import cancel_batch, collect_batch, resume_batch, start_batch
from portal.predictions.views.single import predict, prediction
from portal.predictions.views.uploading import new_batch, template

__all__ = [
    "about", "batch", "cancel_batch", "collect_batch", "download", "export_history", "history", "home", "new_batch",
    "picture", "predict", "prediction", "resume_batch", "start_batch", "template",
]  # fmt: skip
