"""The corpus of texts that try to be more than a text: to set their label, to end their marks, to ask for secrets."""

import json
from pathlib import Path

_LINES = (Path(__file__).parent / "injections.jsonl").read_text(encoding="utf-8").splitlines()
INJECTIONS = {line["name"]: line["text"] for line in map(json.loads, _LINES)}
CLASSES = ("negative", "neutral", "positive")
