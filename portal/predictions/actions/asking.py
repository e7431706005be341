"""One observation, answered and kept."""

from __future__ import annotations

from collections.abc import Mapping

from portal import request_ids
from portal.accounts.models import User
from portal.errors import BadInput, GatewayError
from portal.gateways import inference
from portal.gateways.contract import Scalar
from portal.predictions import states
from portal.predictions.actions.answering import take
from portal.predictions.models import Prediction
from portal.registry.models import ModelVersion

# What an answer, or the lack of one, says. The rest of the row was written before it was asked for.
ANSWER = (
    "state", "outcome", "outcome_words", "value", "probabilities", "scores", "band_value", "band_label", "band_tone",
    "milliseconds", "is_cold", "error", "words",
)  # fmt: skip


def predict_one(version: ModelVersion, row: Mapping[str, Scalar], *, by: User) -> Prediction:
    """Ask exactly this version about one observation.

    Args:    row: a value for each feature by name, None for missing
    Returns: the prediction, answered
    Raises:  BadInput: the model cannot take these values; GatewayError: no answer. The row is kept in both cases.
    """
    asked = request_ids.current_id()
    prediction = Prediction.objects.create(user=by, version=version, inputs=dict(row), request_id=asked)
    try:
        answer = inference.predict(
            slug=version.model.slug,
            number=version.number,
            sha256=version.sha256,
            row=row,
            is_compiled=version.is_compiled,
        )
    except BadInput as error:
        _close(prediction, states.REFUSED, error=error.user_message)
        raise
    except GatewayError as error:
        _close(prediction, states.FAILED, error=error.user_message)
        raise
    take(prediction, answer)
    _close(prediction, states.ANSWERED)
    return prediction


def _close(prediction: Prediction, state: str, *, error: str = "") -> None:
    states.check_change(states.PREDICTION_CHANGES, prediction.state, state)
    prediction.state, prediction.error = state, error[:500]
    prediction.save(update_fields=ANSWER)
