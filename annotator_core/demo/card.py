"""Model cards of the demo's specialists."""

from pathlib import Path

CARD = """\
---
license: apache-2.0
language: en
library_name: transformers
pipeline_tag: text-classification
---

# {name}

A small classifier of customer feedback ({architecture}), one of the three specialists of AutoAnnotator's demo.
Trained from scratch, tokenizer included, on {total} of the demo's own training texts:
{rows}. Weights and texts are licensed under Apache-2.0.

Made by `python -m annotator_core.demo.train`. Accuracy on the demo's feedback.csv, whose texts it never saw:
{accuracy:.3f}. The labels and what they mean in the demo: `annotator_core.demo.label_maps()`.

It knows the words of one invented shop and serves to show the software at work; it is no good for anything else.
"""


def write_card(folder: Path, name: str, architecture: str, rows: dict[str, int], accuracy: float) -> None:
    """Writes the model's README.md: license, what it learned from, how well it does (accuracy, 0 to 1)."""
    by_topic = ", ".join(f"{count} about {topic}" for topic, count in rows.items())
    text = CARD.format(name=name, architecture=architecture, total=sum(rows.values()), rows=by_topic, accuracy=accuracy)
    (folder / "README.md").write_text(text, encoding="utf-8")
