"""One module a sample: its rows, its estimator and the words for both. `SAMPLES` is the order they are shown in."""

from model.sample import Sample
from model.samples.breast_cancer import BREAST_CANCER
from model.samples.diabetes import DIABETES
from model.samples.four_variables import FOUR_VARIABLES
from model.samples.penguins import PENGUINS

SAMPLES: tuple[Sample, ...] = (FOUR_VARIABLES, BREAST_CANCER, PENGUINS, DIABETES)
