"""A script is read before it is run: syntax, what it imports, what it calls, and whether it keeps the contract.

No check of source can hold a script that wants out: the box does. This one keeps honest scripts small and readable, and
tells whoever reads one that nothing in it is unusual.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from annotator_core.scripts.kinds import CONTRACTS, Kind, write_signature

MAX_CHARS: Final = 20_000
"""Chosen: the templates have under 3,000."""
IMPORTS: Final = frozenset(
    {
        "__future__", "collections", "dataclasses", "functools", "itertools", "json", "math", "numpy", "pathlib",
        "random", "re", "statistics", "string", "torch", "transformers", "typing", "unicodedata",
    }
)  # fmt: skip
FORBIDDEN_CALLS: Final = frozenset(
    {
        "__import__", "breakpoint", "compile", "delattr", "eval", "exec", "getattr", "globals", "input", "locals",
        "open", "setattr", "vars",
    }
)  # fmt: skip
FORBIDDEN_ATTRIBUTES: Final = frozenset(
    {"hub", "push_to_hub", "system", "popen", "load", "multiprocessing", "from_file"}
)
"""Names behind a dot: torch.load and torch.hub run pickles and foreign code, the others reach outside."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a script, and in which line; 0 for the whole."""

    line: int
    message: str


def check_script(code: str, kind: Kind) -> tuple[Finding, ...]:
    """Return what is wrong with a script, by line; empty when it may be run in the box."""
    if len(code) > MAX_CHARS:
        return (Finding(0, f"The script has {len(code):,} characters, more than the {MAX_CHARS:,} allowed."),)
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = error.lineno if isinstance(error, SyntaxError) and error.lineno else 0
        return (Finding(line, f"This is no Python: {getattr(error, 'msg', None) or error}."),)
    found = {
        *_check_signs(code),
        *_check_imports(tree),
        *_check_names(tree),
        *_check_top(tree),
        *_check_contract(tree, kind),
    }
    return tuple(sorted(found, key=lambda one: (one.line, one.message)))


def _check_signs(code: str) -> Iterator[Finding]:
    """Yield lines that look other than they are to whoever reads them. Source: CVE-2021-42574 (Trojan Source)."""
    for number, line in enumerate(code.replace("\r\n", "\n").split("\n"), start=1):
        if any(not sign.isprintable() and sign != "\t" for sign in line):
            yield Finding(number, "It holds signs that cannot be seen or that turn the order of others.")


def _check_imports(tree: ast.Module) -> Iterator[Finding]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        for name in _imported(node):
            if name.partition(".")[0] not in IMPORTS:
                yield Finding(node.lineno, f"It imports {name}: only {', '.join(sorted(IMPORTS))} are allowed.")


def _imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return ["." if node.level else str(node.module)]


def _check_names(tree: ast.Module) -> Iterator[Finding]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in FORBIDDEN_CALLS:
            yield Finding(node.lineno, f"It uses {node.id}, which no such script needs.")
        elif isinstance(node, ast.Name | ast.Attribute) and _name(node).startswith("__"):
            yield Finding(node.lineno, f"It uses {_name(node)}: names with two underscores are Python's own.")
        elif isinstance(node, ast.Attribute) and node.attr in FORBIDDEN_ATTRIBUTES:
            yield Finding(node.lineno, f"It uses .{node.attr}, which reads or writes outside what it was given.")
        elif isinstance(node, ast.keyword) and node.arg == "trust_remote_code" and not _is_false(node.value):
            yield Finding(node.value.lineno, "It asks for a model's own code (trust_remote_code), which is never run.")


def _name(node: ast.Name | ast.Attribute) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr


def _is_false(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is False


def _check_top(tree: ast.Module) -> Iterator[Finding]:
    """Yield what stands outside functions and does something when the script is only loaded."""
    allowed = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign)
    for node in tree.body:
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not (isinstance(node, allowed) or is_text):
            yield Finding(node.lineno, "Outside functions only imports, constants and definitions may stand.")


def _check_contract(tree: ast.Module, kind: Kind) -> Iterator[Finding]:
    contract = CONTRACTS[kind]
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == contract.function]
    if len(found) != 1:
        yield Finding(0, f"It must define one function: {write_signature(kind)}")
        return
    arguments = found[0].args
    names = tuple(argument.arg for argument in (*arguments.posonlyargs, *arguments.args))
    if names != contract.parameters or arguments.vararg or arguments.kwonlyargs or arguments.kwarg:
        yield Finding(found[0].lineno, f"Its arguments must be these: {write_signature(kind)}")
