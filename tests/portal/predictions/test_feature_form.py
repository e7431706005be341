import pytest

from portal.predictions.feature_form import FeatureForm, defaults_of, initial_from
from portal.registry.models import Feature
from tests.portal.factories import make_version

pytestmark = pytest.mark.django_db
GOOD = {"f0": "44.5", "f1": "Dream", "f2": "2008"}


def form_with(**changes: str) -> FeatureForm:
    return FeatureForm(make_version(), GOOD | changes)


def test_row_of_typed_values_has_the_types_the_model_takes():
    form = form_with()

    assert form.is_valid()
    assert form.row() == {"bill_length_mm": 44.5, "island": "Dream", "year": 2008}


def test_row_with_an_optional_value_left_empty_is_missing():
    form = form_with(f2="")

    assert form.is_valid()
    assert form.row()["year"] is None


@pytest.mark.parametrize(
    ("field", "typed", "message"),
    [
        ("f0", "", "This field is required."),
        ("f0", "abc", "“abc” is not a number."),
        ("f0", "nan", "A finite number is needed."),
        ("f0", "-inf", "A finite number is needed."),
        ("f0", "1e999", "A finite number is needed."),
        ("f0", "29.9", "The lowest value allowed is 30."),
        ("f0", "62.1", "The highest value allowed is 62."),
        ("f0", "1.2.3", "“1.2.3” is not a number."),
        ("f1", "Atlantis", "Select a valid choice. Atlantis is not one of the available choices."),
        ("f2", "2008.5", "A whole number is needed."),
    ],
)
def test_field_with_a_bad_value_says_what_is_wrong_and_keeps_it(field: str, typed: str, message: str):
    form = form_with(**{field: typed})

    assert not form.is_valid()
    assert form.errors == {field: [message]}
    assert form[field].value() == typed
    assert form.fields[field].widget.attrs["aria-invalid"] == "true"


@pytest.mark.parametrize(("typed", "number"), [("44,5", 44.5), ("4.45e1", 44.5), (" 44.5 ", 44.5), ("4 4.5", 44.5)])
def test_number_written_as_people_write_it_is_understood(typed: str, number: float):
    form = form_with(f0=typed)

    assert form.is_valid()
    assert form.row()["bill_length_mm"] == number


def test_number_with_all_its_digits_keeps_them():
    form = form_with(f0="44.123456789012345")

    assert form.is_valid()
    assert form.row()["bill_length_mm"] == 44.123456789012345


def test_minus_sign_of_typography_is_a_minus():
    version = make_version()
    version.features.filter(name="bill_length_mm").update(minimum=None)
    form = FeatureForm(version, GOOD | {"f0": "−3.5"})

    assert form.is_valid()
    assert form.row()["bill_length_mm"] == -3.5


@pytest.mark.parametrize(("typed", "value"), [("yes", True), ("no", False)])
def test_yes_or_no_becomes_a_boolean(typed: str, value: bool):
    version = make_version()
    version.features.filter(name="year").update(kind=Feature.BOOLEAN)
    form = FeatureForm(version, GOOD | {"f2": typed})

    assert form.is_valid()
    assert form.row()["year"] is value


def test_errors_of_the_model_stand_at_their_fields():
    form = form_with()
    form.is_valid()

    form.add_feature_errors({"island": "'Dream' is unknown.", "ghost": "is missing"})

    assert form.errors == {"f1": ["'Dream' is unknown."], "__all__": ["ghost: is missing"]}


def test_initial_values_of_a_row_are_shown_as_they_would_be_typed():
    version = make_version()

    initial = initial_from(version, {"bill_length_mm": 40.0, "island": "Biscoe", "year": None})

    assert initial == {"f0": "40.0", "f1": "Biscoe", "f2": ""}
    assert defaults_of(version) == {"f0": "44.5", "f1": "", "f2": ""}
