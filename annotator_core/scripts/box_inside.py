"""What runs first inside the box: limits that nothing after it can lift, then the script and the function to call.

It is handed over as text and knows only the standard library. Its standard output is the result: one line of JSON with
the answer and the names and sizes of files, then their bytes; what the script prints goes to standard error.
"""

import importlib.util
import json
import os
import resource
import sys
from pathlib import Path
from typing import Any

OUT = Path("/tmp", "out")  # noqa: S108 - inside the box this folder is its own


def main() -> None:
    """Run the task of /given/in and write its result; raises ImportError and whatever the script does."""
    for name, value in json.loads(sys.argv[1]).items():
        resource.setrlimit(getattr(resource, name), (value, value))
    result = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    task = json.loads(Path("/given/in/task.json").read_text(encoding="utf-8"))
    OUT.mkdir()
    answer = call(load_script(), task)
    files = [path for path in sorted(OUT.iterdir()) if path.is_file()] if task["takes_files"] else []
    sizes = [(path.name, path.stat().st_size) for path in files]
    result.write(json.dumps({"answer": answer, "files": sizes}, default=to_plain).encode() + b"\n")
    for path in files:
        result.write(path.read_bytes())
    result.close()


def load_script() -> Any:
    """Return the script as a module; raises ImportError where it cannot be read."""
    spec = importlib.util.spec_from_file_location("script", "/given/in/script.py")
    if spec is None or spec.loader is None:
        raise ImportError("the script cannot be read")
    module = importlib.util.module_from_spec(spec)
    sys.modules["script"] = module
    spec.loader.exec_module(module)
    return module


def call(script: Any, task: dict[str, Any]) -> Any:
    """Return what the function says; what it returns is called with the last argument where the task says so."""
    arguments = task["arguments"]
    function = getattr(script, task["function"])
    if task["is_called_again"]:
        return function(*arguments[:-1])(arguments[-1])
    return function(*arguments)


def to_plain(value: Any) -> Any:
    """Return arrays and tensors as lists."""
    return value.tolist()


if __name__ == "__main__":
    main()
