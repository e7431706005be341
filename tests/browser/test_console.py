"""Every page of the console in both themes, at a desk and on a phone, under the strict content security policy."""

from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from portal.accounts import roles
from portal.registry import states
from portal.registry.models import Model, ModelVersion
from tests.browser.conftest import LOOKS, PageAs, is_too_wide, keep, violations
from tests.portal.factories import make_model, make_user, make_version

pytestmark = pytest.mark.browser
REFUSAL = {"what": "It names os.system.", "why": "No model needs it.", "remedy": "Save it again."}


@pytest.fixture
def pages(loaded_site: str) -> dict[str, str]:
    """The samples, beside them a version in each other state."""
    penguins, cancer = (Model.objects.get(slug=slug) for slug in ("penguins", "breast-cancer"))
    live = penguins.live_version
    assert live
    warning = (
        "It was fitted with scikit-learn 1.2.0 and is served by 1.9.1. Compare its predictions before it goes live."
    )
    changed = {**live.manifest, "warnings": [warning], "features": live.manifest["features"][1:]}
    ready = make_version(penguins, is_live=False, manifest=changed, checked_at=live.checked_at)
    ready.features.all().delete()
    facts = {"is_live": False, "manifest": {}}
    rejected = make_version(
        penguins, **facts, state=states.REJECTED, scan={"refusals": [REFUSAL], "globals": ["os.system"]}
    )
    archived = make_version(penguins, is_live=False, state=states.ARCHIVED, manifest=live.manifest)
    checking = make_version(make_model("new-one"), **facts, state=states.CHECKING)
    person = make_user("grace", roles.VIEWER)
    version = "admin:registry_modelversion_change"
    return {
        "models": reverse("admin:registry_model_changelist"),
        "model": reverse("admin:registry_model_change", args=[penguins.pk]),
        "upload": reverse("admin:registry_model_upload"),
        "upload-version": reverse("admin:registry_modelversion_upload", args=[penguins.pk]),
        "version-live": reverse(version, args=[live.pk]),
        "version-many-features": reverse(version, args=[cancer.live_version.pk]),
        "version-ready": reverse(version, args=[ready.pk]),
        "version-rejected": reverse(version, args=[rejected.pk]),
        "version-archived": reverse(version, args=[archived.pk]),
        "version-checking": reverse(version, args=[checking.pk]),
        "make-live": reverse("admin:registry_modelversion_live", args=[ready.pk]),
        "people": reverse("admin:accounts_user_changelist"),
        "person": reverse("admin:accounts_user_change", args=[person.pk]),
        "person-history": reverse("admin:accounts_user_history", args=[person.pk]),
        "person-new": reverse("admin:accounts_user_add"),
        "person-password": reverse("admin:auth_user_password_change", args=[person.pk]),
    }


@pytest.mark.looks
@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_every_console_page_has_nothing_for_axe_and_fits_its_window(
    loaded_site: str, pages: dict[str, str], page_as: PageAs, theme: str, width: str
):
    page, found = page_as(roles.ADMIN, theme=theme, width=width), {}

    for name, address in pages.items():
        page.goto(loaded_site + address)
        open_everything(page)
        keep(page, f"console-{name}-{theme}-{width}")
        problems = violations(page) + (["wider than the window"] if is_too_wide(page) else [])
        found |= {name: problems} if problems else {}

    assert found == {}


@pytest.mark.looks
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_console_forms_with_errors_have_nothing_for_axe(
    loaded_site: str, pages: dict[str, str], page_as: PageAs, theme: str
):
    page = page_as(roles.ADMIN, theme=theme)
    page.goto(loaded_site + pages["version-live"])
    page.get_by_label("Lowest").locator("visible=true").first.fill("999999")

    page.get_by_role("button", name="Save the settings").click()

    expect(page.get_by_role("alert")).to_contain_text("The highest value must be above the lowest.")
    open_everything(page)
    keep(page, f"console-version-errors-{theme}")
    assert violations(page) == []


def test_console_without_models_says_what_to_do_next(site: str, page_as: PageAs):
    page = page_as(roles.MODEL_OWNER)

    page.goto(f"{site}/admin/")

    expect(page.get_by_role("heading", name="No model yet")).to_be_visible()
    expect(page.get_by_role("link", name="Upload a model").first).to_be_visible()
    assert violations(page) == []


def test_upload_with_a_bad_field_keeps_the_file_and_marks_the_field(site: str, page_as: PageAs, tmp_path: Path):
    make_model("penguins")
    page = page_as(roles.MODEL_OWNER)
    file = tmp_path / "model.pkl"
    file.write_bytes(b"anything")
    page.goto(site + reverse("admin:registry_model_upload"))
    page.get_by_label("Model file").set_input_files(file)
    page.get_by_label("Name", exact=True).fill("Penguins")

    page.get_by_role("button", name="Upload and check").click()

    expect(page.get_by_text("There is a model “penguins” already.")).to_be_visible()
    expect(page.get_by_label("Short name")).to_be_focused()
    assert page.get_by_label("Model file").evaluate("input => input.files.length") == 1
    assert violations(page) == []


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_upload_of_a_sample_ends_live_with_and_without_script(site: str, page_as: PageAs, samples: Path, script: bool):
    page = page_as(roles.MODEL_OWNER, script=script)
    page.goto(site + reverse("admin:registry_model_upload"))
    page.get_by_label("Model file").set_input_files(samples / "diabetes" / "model.joblib")
    page.get_by_label("Name", exact=True).fill("Diabetes, a year on")

    page.get_by_role("button", name="Upload and check").click()
    if not script:
        page.get_by_role("button", name="Check it now").click()
    page.get_by_role("link", name="Make live").click()
    page.get_by_role("button", name="Make version 1 live").click()

    expect(page.get_by_text("It is live and answers every prediction")).to_be_visible()
    assert ModelVersion.objects.get().model.slug == "diabetes-a-year-on"


def test_picture_is_added_and_removed_on_its_versions_page(loaded_site: str, page_as: PageAs, samples: Path):
    page, version = page_as(roles.MODEL_OWNER), ModelVersion.objects.get(model__slug="penguins")
    page.goto(loaded_site + reverse("admin:registry_modelversion_change", args=[version.pk]))
    open_everything(page)
    page.get_by_label("File (PNG)").set_input_files(samples / "penguins" / "pictures" / "1.png")
    page.get_by_label("Title").fill("Once more")

    page.get_by_role("button", name="Add the picture").click()
    expect(page.get_by_text("Say in words what it shows")).to_be_visible()
    keep(page, "console-picture-error")
    found = violations(page)
    page.get_by_label("File (PNG)").set_input_files(samples / "penguins" / "pictures" / "1.png")
    page.get_by_label("What it shows").fill("How often it is wrong")
    page.get_by_role("button", name="Add the picture").click()
    expect(page.get_by_alt_text("How often it is wrong")).to_be_visible()
    keep(page, "console-pictures")
    page.get_by_role("button", name="Remove “Once more”").click()

    expect(page.get_by_text("“Once more” was removed.")).to_be_visible()
    expect(page.get_by_alt_text("How often it is wrong")).to_have_count(0)
    assert found == []


def open_everything(page: Page) -> None:
    """Unfold what is folded away, so that it is looked at too; the menu would cover the page."""
    page.evaluate("document.querySelectorAll('main details').forEach(part => { part.open = true })")
