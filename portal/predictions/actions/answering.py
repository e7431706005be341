"""What an answer means with the settings of its version: words for the class, the band that it falls into."""

from __future__ import annotations

from portal.gateways.contract import Answer, telling_number
from portal.predictions.models import Prediction


def take(prediction: Prediction, answer: Answer) -> None:
    """Write the answer into the row, which is not saved."""
    version = prediction.version
    shown = answer.value if answer.output.type == "regression" else answer.label
    prediction.outcome = str(shown)[:200]
    prediction.outcome_words = (version.class_word(answer.label) if answer.output.classes else "")[:200]
    prediction.value = answer.value
    prediction.scores = None if answer.scores is None else list(answer.scores)
    if answer.probabilities is not None:
        prediction.probabilities = [
            list(pair) for pair in zip(answer.output.classes, answer.probabilities, strict=True)
        ]
    prediction.band_value = telling_number(
        answer.output, {"value": answer.value, "probabilities": answer.probabilities}
    )
    band = version.band_for(prediction.band_value)
    if band:
        prediction.band_label, prediction.band_tone = band.label, band.tone
    prediction.milliseconds, prediction.is_cold = answer.milliseconds, answer.is_cold
