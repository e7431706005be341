import pytest

from portal.templatetags.portico import duration, figure, percent


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.123456, "0.1235"), (1234.5678, "1235"), (12.5, "12.5"), (3.0, "3"), (1234567, "1\u202f234\u202f567"),
        (1.5e-9, "1.5e-09"), (-0.5, "-0.5"), (0, "0"), (2.5e12, "2\u202f500\u202f000\u202f000\u202f000"),
    ],
)  # fmt: skip
def test_figure_of_a_number_is_rounded_with_the_exact_value_beside_it(value: float, shown: str):
    written = figure(value)

    assert written == f'<data value="{value!r}" title="{value!r}">{shown}</data>'


@pytest.mark.parametrize(("value", "shown"), [(None, "–"), ("", "–"), (True, "Yes"), (False, "No"), ("male", "male")])
def test_figure_of_what_is_no_number_is_itself(value: object, shown: str):
    assert figure(value) == shown


def test_figure_of_text_is_not_markup():
    assert not hasattr(figure("<b>"), "__html__")


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0.5, "50.0"), (0.99999, "&gt; 99.9"), (1.0, "100.0"), (0.00001, "&lt; 0.1"), (0.0, "0.0"), (0.8461, "84.6")],
)
def test_percent_of_a_share_never_claims_certainty_it_has_not(share: float, shown: str):
    assert percent(share).endswith(f">{shown.replace(' ', chr(0x202F))}\u202f%</data>")


@pytest.mark.parametrize(("milliseconds", "shown"), [(0.83, "0.8 ms"), (250.4, "250 ms"), (2300, "2.3 s"), (None, "–")])
def test_duration_is_written_in_the_unit_that_reads_best(milliseconds: float | None, shown: str):
    assert duration(milliseconds) == shown
