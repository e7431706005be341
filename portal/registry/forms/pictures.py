"""One picture of a version's quality, at its upload or later."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from portal.registry.pictures import NewPicture, is_png

MIB = 1024**2
MAX_BYTES = 20 * MIB


class PictureForm(forms.Form):
    """A PNG with its title, and with words for people who cannot see it."""

    use_required_attribute = False

    file = forms.FileField(
        label="File (PNG)",
        error_messages={"required": "The picture itself is missing. Choose its file.", "empty": "The file is empty."},
        widget=forms.FileInput(attrs={"accept": ".png,image/png"}),
    )
    title = forms.CharField(
        max_length=120,
        error_messages={"required": "Give it a title, for example ROC curve."},
        widget=UnfoldAdminTextInputWidget,
    )
    alt = forms.CharField(
        label="What it shows",
        max_length=1000,
        error_messages={"required": "Say in words what it shows, for people who cannot see it."},
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
    )

    def clean_file(self) -> UploadedFile:
        file = self.cleaned_data["file"]
        if file.size > MAX_BYTES:
            raise ValidationError(f"The picture is larger than {MAX_BYTES // MIB} MB.")
        if not is_png(file.read()):
            raise ValidationError("This is not a PNG picture.")
        file.seek(0)
        return file

    def picture(self) -> NewPicture:
        """Only after is_valid()."""
        given = self.cleaned_data
        return NewPicture(given["file"].read(), title=given["title"], alt=given["alt"])
