"""A run becomes one Python file: the parts of `standalone` joined, with the run's plan in front of its command."""

import ast
from collections.abc import Iterable
from pathlib import Path
from pprint import pformat
from typing import Final

from annotator_core.scripts.plan import ScriptPlan, to_literal
from annotator_core.scripts.standalone import PARTS

_PACKAGE: Final = "annotator_core.scripts.standalone"
_FOLDER: Final = Path(__file__).with_name("standalone")
_HEAD: Final = '''"""{title}: the same votes, labels and routes, without AutoAnnotator.

Needs Python 3.11 and transformers with torch (pip install "transformers>=5.23,<6" torch), nothing else.

    python {name} rows.csv labeled.csv --text-column {text_column}

Models vote in fp32, from files whose content is pinned below; --models DIR names the folder that holds their folders.
--verdicts FILE (columns text and label, or an export of the run as CSV) gives the second review's answers for rows that
go to it. An export also says who decided: rows of a person keep the route review. Cells are written raw: open a file
from strangers in a spreadsheet only after a check for formulas.

Specialists:
{specialists}
"""
'''


def write_script(plan: ScriptPlan, name: str = "run.py") -> str:
    """Return the source of the standalone script of a run; the same plan gives the same text.

    Raises BadInput where the pool holds a specialist that it cannot carry.
    """
    literal = to_literal(plan)
    trees = [_read(part) for part in PARTS]
    head = _HEAD.format(
        title=_escape(plan.title),
        name=_escape(name),
        text_column=_escape(plan.text_column),
        specialists="\n".join(_introduce(voter) for voter in literal["voters"]),
    )
    imports = _merge_imports(node for _source, tree in trees for node in tree.body)
    bodies = "".join(_list_statements(source, tree) for source, tree in trees)
    data = f"PLAN: Final[dict[str, Any]] = {pformat(literal, width=110, sort_dicts=False)}"
    ending = 'if __name__ == "__main__":\n    sys.exit(main(PLAN))'
    return f"{head}\n{imports}\n\n{data}\n{bodies}\n\n{ending}\n"


def _introduce(voter: dict[str, object]) -> str:
    place = f"{voter['hub_id']} at {voter['revision']}" if voter["hub_id"] else str(voter["folder"])
    return _escape(f"- {voter['name']} ({voter['backend']}): {place}, content {voter['content_hash']}")


def _escape(words: str) -> str:
    """Return words that can stand in a docstring and end no part of it."""
    plain = words.replace("\\", "/").replace('"', "'")
    return "".join(char if char.isprintable() else " " for char in plain)


def _read(part: str) -> tuple[list[str], ast.Module]:
    source = (_FOLDER / f"{part}.py").read_text(encoding="utf-8")
    return source.splitlines(), ast.parse(source)


def _merge_imports(nodes: Iterable[ast.stmt]) -> str:
    """Return the imports of all parts, once each; what they import from each other stands in the same file."""
    plain: set[str] = set()
    named: dict[str, set[str]] = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            plain |= {ast.unparse(ast.Import([alias])) for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not str(node.module).startswith(_PACKAGE):
            named.setdefault(str(node.module), set()).update(ast.unparse(alias) for alias in node.names)
    return "\n".join([*sorted(plain), *(f"from {one} import {', '.join(sorted(named[one]))}" for one in sorted(named))])


def _list_statements(source: list[str], tree: ast.Module) -> str:
    """Return everything of a part but its docstring and imports, as it is written, comments included."""
    begin = max(node.end_lineno or 0 for node in tree.body if _is_head(node))
    body = "\n".join(source[begin:]).strip("\n")
    return f"\n\n{body}\n"


def _is_head(node: ast.stmt) -> bool:
    is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and node.lineno == 1
    return is_docstring or isinstance(node, ast.Import | ast.ImportFrom)
