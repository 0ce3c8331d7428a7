"""The demo: feedback written for it, its classes and guideline, and three small specialists trained for it."""

from pathlib import Path

CLASSES = ("negative", "neutral", "positive")
"""The label classes, in the order of the demo's votes and probabilities."""

SPECIALIST_NAMES = ("courier", "checkout", "overall")
FOLDER = Path(__file__).parent


def feedback_path() -> Path:
    """The CSV file with the texts to label: order_id, channel, text, gold; 1,600 rows, 20 texts stand twice."""
    return FOLDER / "feedback.csv"


def training_path() -> Path:
    """The CSV file that the specialists learned from: text, gold, topic; 3,000 texts, none of them in the feedback."""
    return FOLDER / "training.csv"


def verified_path() -> Path:
    """The CSV file of feedback that was checked before: order_id, channel, text, gold; 1,500 texts of its own."""
    return FOLDER / "verified.csv"


def guideline() -> str:
    """The guideline for annotators, as Markdown."""
    return (FOLDER / "guideline.md").read_text(encoding="utf-8")


def specialist_folders() -> dict[str, Path]:
    """The model folder of each shipped specialist by its name; train.py writes them."""
    return {name: FOLDER / "specialists" / name for name in SPECIALIST_NAMES}


def label_maps() -> dict[str, dict[str, str]]:
    """For each specialist, its own label names to the demo's classes."""
    return {
        "courier": {"negative": "negative", "neutral": "neutral", "positive": "positive"},
        "checkout": {"NEG": "negative", "NEU": "neutral", "POS": "positive"},
        "overall": {"good": "positive", "ok": "neutral", "bad": "negative"},
    }
