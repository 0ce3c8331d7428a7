"""What no template, style sheet or script may contain: the strict policy would stop it in the browser."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
STYLES = sorted((ROOT / "static" / "css").glob("*.css"))
SCRIPTS = sorted((ROOT / "static" / "js").glob("*.js"))
DRAWINGS = sorted((ROOT / "static").glob("*.svg"))
INLINE_SCRIPT = re.compile(r"<script\b(?![^>]*\bsrc=)[^>]*>(?!\s*</script>)", re.IGNORECASE)
BANNED = {
    "style attribute": (re.compile(r"""\sstyle\s*=""", re.IGNORECASE), TEMPLATES + DRAWINGS),
    "style element": (re.compile(r"<style\b", re.IGNORECASE), TEMPLATES + DRAWINGS),
    "inline script": (
        re.compile(r"<script\b(?![^>]*\bsrc=)[^>]*>(?!\s*</script>)", re.IGNORECASE),
        TEMPLATES + DRAWINGS,
    ),
    "event attribute": (re.compile(r"""\son[a-z]+\s*=\s*["'{]""", re.IGNORECASE), TEMPLATES + DRAWINGS),
    "htmx event attribute": (re.compile(r"\b(data-)?hx-on\b", re.IGNORECASE), TEMPLATES),
    "htmx event filter": (re.compile(r"""hx-trigger=["'][^"']*\["""), TEMPLATES),
    "javascript address": (re.compile(r"javascript:|\bhx-vals=.js:", re.IGNORECASE), TEMPLATES + DRAWINGS),
    "safe filter": (re.compile(r"\|\s*safe\b|\|\s*safeseq\b|autoescape off"), TEMPLATES),
    "address of another host": (re.compile(r"""(src|href)=["'](https?:)?//"""), TEMPLATES),
    "important": (re.compile(r"!\s*important"), STYLES),
    "eval": (re.compile(r"\beval\(|new Function\(|innerHTML|outerHTML|insertAdjacentHTML|document\.write"), SCRIPTS),
}
LIMITS = [(path, 400) for path in STYLES] + [(path, 150) for path in SCRIPTS]


@pytest.mark.parametrize("name", BANNED)
def test_nothing_is_inline(name):
    pattern, paths = BANNED[name]
    found = [f"{path.relative_to(ROOT)}: {hit.group()}" for path in paths for hit in pattern.finditer(path.read_text())]
    assert paths
    assert found == []


def test_banned_patterns_find_what_they_look_for():
    bad = {
        "style attribute": '<p style="x">',
        "style element": "<style>",
        "inline script": "<script>x",
        "event attribute": '<p onclick="x">',
        "htmx event attribute": "<p hx-on:click>",
        "htmx event filter": '<p hx-trigger="click[ctrlKey]">',
        "javascript address": 'href="javascript:x"',
        "safe filter": "{{ x|safe }}",
        "address of another host": '<img src="https://x">',
        "important": "a: b ! important",
        "eval": "eval(x)",
    }
    assert [name for name, text in bad.items() if not BANNED[name][0].search(text)] == []
    assert bad.keys() == BANNED.keys()


@pytest.mark.parametrize(("path", "limit"), LIMITS, ids=lambda value: getattr(value, "name", str(value)))
def test_files_are_short(path, limit):
    assert len(path.read_text().splitlines()) <= limit


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
def test_every_rule_is_in_a_layer(path):
    outside = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
    opened = [line for line in outside.splitlines() if line and not line[0].isspace() and line != "}"]
    assert [line for line in opened if not line.startswith("@layer ")] == []


def test_every_icon_that_is_named_is_drawn():
    drawn = set(re.findall(r'<symbol id="([a-z-]+)"', (ROOT / "static" / "icons.svg").read_text()))
    pattern = re.compile(r"""\bicon(?:_end)?[ =]["']([a-z-]+)["']""")
    named = {name for path in TEMPLATES for name in pattern.findall(path.read_text())}
    assert named - drawn == set()
