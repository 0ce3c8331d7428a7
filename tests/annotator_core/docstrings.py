"""What the engine's docstrings say, and what its code raises, read off the source."""

import ast
import builtins
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import annotator_core
from annotator_core import errors

ROOT = Path(annotator_core.__file__).parent
SOURCES = sorted(ROOT.rglob("*.py"))
TREES = {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES}
Function = ast.FunctionDef | ast.AsyncFunctionDef
POINTER = re.compile(r"\bas (?:of )?`(?:\w+\.)*(\w+)`")
"""A docstring that says "as of `certify`" or "as `certify` does" has that of certify with it."""


@dataclass(frozen=True)
class Public:
    """A public function, or a method of a public class.

    arguments: their types by name. doc: its docstring, its class's, and those it points at. module_doc: its module's.
    """

    place: str
    types: str
    arguments: Mapping[str, str]
    result: str
    doc: str
    module_doc: str
    raised: frozenset[str]


@dataclass(frozen=True)
class Scope:
    """Where calls lead: the functions of a module by name, the class at hand, and who was looked at already."""

    functions: Mapping[str, Function]
    owner: str = ""
    seen: frozenset[str] = frozenset()


def list_public() -> Iterator[Public]:
    docs = _collect_docs()
    for path, tree in TREES.items():
        functions = dict(_list_functions(tree))
        classes = {node.name: ast.get_docstring(node) for node in tree.body if isinstance(node, ast.ClassDef)}
        for name, node in functions.items():
            is_stub = any(ast.unparse(each) == "overload" for each in node.decorator_list)
            if is_stub or name.startswith("_") or "._" in name:
                continue
            told = f"{ast.get_docstring(node) or ''} {classes.get(name.rpartition('.')[0], '')}"
            pointed = (docs[target] for target in POINTER.findall(told) if target in docs)
            result = ast.unparse(node.returns) if node.returns else ""
            yield Public(
                f"{path}: {name}",
                f"{ast.unparse(node.args)} {result}",
                {each.arg: ast.unparse(each.annotation) for each in _list_arguments(node) if each.annotation},
                result,
                " ".join([told, *pointed]),
                ast.get_docstring(tree) or "",
                frozenset(_find_raised(node.body, Scope(functions, name.rpartition(".")[0], frozenset({name})))),
            )


def list_values() -> Iterator[tuple[str, dict[str, str], str]]:
    """Yield each public class that has fields: its place, their types by name, its docstring."""
    for path, tree in TREES.items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                fields = [each for each in node.body if isinstance(each, ast.AnnAssign)]
                types = {ast.unparse(each.target): ast.unparse(each.annotation) for each in fields}
                yield f"{path}: {node.name}", types, ast.get_docstring(node) or ""


def list_docs(tree: ast.AST) -> list[str]:
    """Return all docstrings in a module, class or function."""
    kinds = ast.Module | ast.ClassDef | Function
    return [ast.get_docstring(node) or "" for node in ast.walk(tree) if isinstance(node, kinds)]


def find_arrays() -> re.Pattern[str]:
    """Return what finds an array among types: numpy's, scipy's, and the names that modules give to them."""
    named = {"ndarray", "csr_matrix"}
    for tree in TREES.values():
        for node in tree.body:
            if isinstance(node, ast.Assign) and "NDArray" in ast.unparse(node.value):
                named |= {ast.unparse(target) for target in node.targets}
    return re.compile(rf"\b({'|'.join(sorted(named))})\b")


def is_told(error: str, doc: str) -> bool:
    """Return whether a docstring names an error or one that it is a child of."""
    family = [each.__name__ for each in getattr(_find_class(error), "__mro__", ())]
    return any(name in doc for name in {error, *family} - {"object", "BaseException", "Exception"})


def _collect_docs() -> dict[str, str]:
    """Return by name what is said of a function, or of a class with its methods."""
    found: dict[str, str] = {}
    for tree in TREES.values():
        for node in tree.body:
            if isinstance(node, ast.ClassDef | Function):
                found[node.name] = " ".join([found.get(node.name, ""), *list_docs(node)])
    return found


def _list_functions(tree: ast.Module) -> Iterator[tuple[str, Function]]:
    for node in tree.body:
        if isinstance(node, Function):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from ((f"{node.name}.{each.name}", each) for each in node.body if isinstance(each, Function))


def _list_arguments(node: Function) -> list[ast.arg]:
    return [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]


def _find_raised(nodes: Iterable[ast.AST], scope: Scope) -> set[str]:
    """Return what is raised and not caught, by these nodes and by the functions of the module that they call."""
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Try):
            after = [*node.orelse, *node.finalbody, *(each for one in node.handlers for each in one.body)]
            found |= _catch(node.body, [one.type for one in node.handlers], scope) | _find_raised(after, scope)
        elif isinstance(node, ast.With):
            suppressed = [one for each in node.items for one in _list_suppressed(each.context_expr)]
            found |= _catch(node.body, suppressed, scope)
        elif not isinstance(node, Function | ast.ClassDef | ast.Lambda):
            found |= _find_raised(ast.iter_child_nodes(node), scope) | _name_raised(node) | _follow(node, scope)
    return found


def _catch(body: list[ast.stmt], caught: list[ast.expr | None], scope: Scope) -> set[str]:
    names = {
        ast.unparse(one).rpartition(".")[2] if one else "BaseException"
        for each in caught
        for one in (each.elts if isinstance(each, ast.Tuple) else [each])
    }
    return {error for error in _find_raised(body, scope) if not _is_among(error, names)}


def _is_among(error: str, names: set[str]) -> bool:
    return bool(names & {error, *(each.__name__ for each in getattr(_find_class(error), "__mro__", ()))})


def _list_suppressed(context: ast.expr) -> list[ast.expr]:
    return context.args if isinstance(context, ast.Call) and ast.unparse(context.func) == "suppress" else []


def _name_raised(node: ast.AST) -> set[str]:
    if not isinstance(node, ast.Raise) or node.exc is None:
        return set()
    name = ast.unparse(node.exc.func if isinstance(node.exc, ast.Call) else node.exc).rpartition(".")[2]
    # A small letter is a variable that holds what was caught; a failed assertion is a mistake of ours.
    return {name} if name[0].isupper() and name != "AssertionError" else set()


def _follow(node: ast.AST, scope: Scope) -> set[str]:
    if not isinstance(node, ast.Call):
        return set()
    name = re.sub(r"^(self|cls)\.", f"{scope.owner}.", ast.unparse(node.func))
    if name not in scope.functions or name in scope.seen:
        return set()
    inside = replace(scope, owner=name.rpartition(".")[0], seen=scope.seen | {name})
    return _find_raised(scope.functions[name].body, inside)


def _find_class(error: str) -> object:
    return getattr(errors, error, getattr(builtins, error, None))
