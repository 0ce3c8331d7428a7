"""The rules of the house that no tool knows: read off the source, and off the modules that the web process holds."""

import ast
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("annotator_core", "labeling")
SOURCES = sorted(path for name in PACKAGES for path in (ROOT / name).rglob("*.py") if "migrations" not in path.parts)
PYTHON = [*SOURCES, *sorted((ROOT / "tests").rglob("*.py")), *sorted((ROOT / "benchmarks").rglob("*.py"))]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
UNSAFE_LOADERS = {"pickle", "joblib", "dill", "cloudpickle", "marshal", "shelve"}
UNSAFE_CALLS = {"torch.load", "yaml.load", "yaml.unsafe_load", "eval", "exec"}
HEAVY = ("torch", "transformers", "sklearn", "openai", "onnxruntime", "accelerate")
SILENCING = re.compile(r"#\s*(noqa|type:\s*ignore)")
REASON = re.compile(r"#\s*(noqa: ?[A-Z0-9, ]+|type: ignore\[[a-z, -]+\])\s*(#|-|\()\s*\w{2,}")


def _where(path, node=None):
    return f"{path.relative_to(ROOT)}" + (f":{node.lineno}" if node is not None else "")


def _nodes(paths, *kinds):
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, kinds):
                yield path, node


def _imported(node):
    names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
    return {name.partition(".")[0] for name in names}


def _lines(paths):
    for path in paths:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            yield f"{path.relative_to(ROOT)}:{number}", line


def test_there_is_something_to_read():
    assert len(SOURCES) > 40


def test_s01_no_secret_key_stands_in_the_code():
    found = [
        _where(path, node)
        for path, node in _nodes(PYTHON, ast.Assign)
        if any(getattr(target, "id", "") == "SECRET_KEY" for target in node.targets)
        and isinstance(node.value, ast.Constant)
    ]
    defaults = [where for where, line in _lines(SOURCES) if re.search(r"SECRET_KEY.*(insecure|default=\"[^\"])", line)]
    assert found + defaults == []


def test_s11_nothing_is_read_that_can_run_code():
    imports = [
        _where(path, node)
        for path, node in _nodes(SOURCES, ast.Import, ast.ImportFrom)
        if _imported(node) & UNSAFE_LOADERS
    ]
    calls = [_where(path, node) for path, node in _nodes(SOURCES, ast.Call) if ast.unparse(node.func) in UNSAFE_CALLS]
    assert imports + calls == []


def test_s08_nothing_is_marked_safe():
    python = [where for where, line in _lines(SOURCES) if re.search(r"\bmark_safe\b|\bSafeString\b", line)]
    pages = [
        where for where, line in _lines(TEMPLATES) if re.search(r"\|\s*(safe|safeseq)\b|\{%-?\s*autoescape\s+off", line)
    ]
    assert python + pages == []


def test_pages_carry_no_inline_script_style_or_handler():
    pattern = re.compile(
        r"\sstyle=|<style|<script(?![^>]*\bsrc=)(?![^>]*json)|\son[a-z]+=|hx-on|javascript:|hx-vals=.?js:"
    )
    assert [where for where, line in _lines(TEMPLATES) if pattern.search(line)] == []


def test_no_machine_path_stands_in_the_code():
    pattern = re.compile(r"[\"'](/(work|home|root|Users|tmp|opt)/|[A-Z]:\\\\)")
    assert [where for where, line in _lines([*SOURCES, *TEMPLATES]) if pattern.search(line)] == []


def test_no_file_is_over_400_lines():
    long = {_where(path): len(path.read_text(encoding="utf-8").splitlines()) for path in PYTHON}
    assert {where: lines for where, lines in long.items() if lines > 400} == {}


def test_no_script_is_over_150_lines():
    scripts = sorted((ROOT / "static" / "js").rglob("*.js"))
    long = {_where(path): len(path.read_text(encoding="utf-8").splitlines()) for path in scripts}
    assert {where: lines for where, lines in long.items() if lines > 150} == {}


def test_no_function_is_over_50_lines():
    long = [
        f"{_where(path, node)} {node.name}"
        for path, node in _nodes(PYTHON, ast.FunctionDef, ast.AsyncFunctionDef)
        if node.end_lineno - node.lineno + 1 > 50
    ]
    assert long == []


def test_what_is_silenced_says_why():
    bare = [
        where
        for where, line in _lines([*SOURCES, *(ROOT / "scripts").rglob("*.py")])
        if SILENCING.search(line) and not REASON.search(line)
    ]
    assert bare == []


def test_no_test_sleeps():
    calls = _nodes(sorted((ROOT / "tests").rglob("*.py")), ast.Call)
    assert [_where(path, node) for path, node in calls if ast.unparse(node.func) in {"time.sleep", "sleep"}] == []


def test_no_room_is_a_drawer():
    drawers = {"utils", "common", "helpers", "misc", "manager", "managers"}
    assert [_where(path) for path in SOURCES if path.stem in drawers or drawers & set(path.parts)] == []


def test_the_web_process_never_imports_a_heavy_package():
    code = (
        "import sys, labeling.conf.asgi, labeling.conf.urls; "
        f"print(*[name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr
