"""What the page of all parts shows: made-up figures, and texts as hostile as they come."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone

from labeling.web.parts import FlowStep, SplitPart, Tab

CLASSES = ("negative", "neutral", "positive", "mixed", "sarcastic", "off topic", "spam", "unsure")
HOSTILE = '<img src=x onerror="alert(1)">'


class GalleryForm(forms.Form):
    """One field of each kind."""

    name = forms.CharField(help_text="Shown to everybody in the project.")
    note = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 3}))
    column = forms.ChoiceField(choices=[("text", "text"), ("order", "order_id"), ("bad", HOSTILE)])
    is_strict = forms.BooleanField(required=False, label="Refuse rows with unknown classes", help_text="Else: empty.")
    mode = forms.ChoiceField(choices=[("all", "All must agree"), ("most", "Most must agree")], widget=forms.RadioSelect)
    file = forms.FileField(required=False, help_text="CSV or JSONL, with a header.")


def gallery_context() -> dict[str, Any]:
    """Everything that web/components.html draws, for both themes."""
    now = timezone.now()
    return {
        "themes": [("light", _form("light")), ("dark", _form("dark"))],
        "classes": [(name, slot, str(slot + 1)) for slot, name in enumerate(CLASSES)],
        "slots": range(24),
        "hostile": HOSTILE,
        "now": now,
        "moments": [now - timedelta(minutes=3), now - timedelta(hours=2), now - timedelta(days=4)],
        "split": _split(),
        "flow": _flow(),
        "rounds": [(1, 0.812, (0.79, 0.831, 0.87)), (2, 0.829, (0.815, 0.856, 0.89)), (3, 0.851, (0.835, 0.868, 0.9))],
        "by_class": [
            ("negative", 0.84, 0.881, "+4.1 points", "good"),
            ("neutral", 0.79, 0.71, "−8.0 points", "bad"),
            (HOSTILE, 0.9, 0.905, "+0.5 points", ""),
        ],
        "scale": (0.7, 1.0),
        "intervals": [
            ("Winner", 0.884, 0.808, 0.932, "good"),
            ("In use", 0.846, 0.765, 0.903, ""),
            (HOSTILE, 0.817, 0.652, 0.88, "quiet"),
            ("Not measured", None, 0.0, 1.0, "quiet"),
        ],
        "tabs": [Tab("All", "#", is_current=True, count=12_268), Tab("Review", "#", count=2_993), Tab("Labeled", "#")],
    }


def _form(prefix: str) -> GalleryForm:
    """A form with an error in each theme; the prefix keeps ids apart."""
    form = GalleryForm({f"{prefix}-column": "text", f"{prefix}-mode": "most"}, prefix=prefix, auto_id=f"id_{prefix}_%s")
    form.is_valid()
    return form


def _split() -> list[SplitPart]:
    return [
        SplitPart("Accepted", 9_275, "accepted"),
        SplitPart("Verified", 820, "verified"),
        SplitPart("Decided", 641, "decided"),
        SplitPart("To review", 1_532, "review", "#"),
    ]


def _flow() -> list[FlowStep]:
    return [
        FlowStep("Data", "12,268", "2 data sets", "#", "done"),
        FlowStep("Votes", "3 models", "412 rows/s", "#", "active"),
        FlowStep("Accepted", "9,275", "75.6%", "#", "done"),
        FlowStep("Review", "2,993", "41 decided today", "#", "attention"),
        FlowStep("Export", "–", "nothing yet", "#", "todo"),
    ]
