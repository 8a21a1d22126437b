"""Find the source files of a program, for a rule to declare as its input.

Snakemake does not look into programs that a shell command calls: an edit reruns the affected jobs
only if their rule names the file.
"""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("workflow", "dcgmm", "baselines")


def of_module(name: str) -> list[str]:
    """Files of a module and of all it imports at top level, transitively, relative to the root."""
    modules: dict[str, None] = {}
    queue = [name]
    while queue:
        module = queue.pop()
        if module not in modules and _module_file(module):
            modules[module] = None
            queue += [module.rpartition(".")[0], *_imports(module)]
    return sorted(_module_file(module) for module in modules)


def of_package(name: str) -> list[str]:
    """All Python files of a package."""
    return sorted(str(path.relative_to(ROOT)) for path in (ROOT / name).rglob("*.py"))


def of_imports(name: str) -> list[str]:
    """Files of a package's modules and of all they import at top level, transitively."""
    modules = (ROOT / name.replace(".", "/")).rglob("*.py")
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in modules]
    return sorted({file for module in names for file in of_module(module)})


@cache
def _imports(module: str) -> tuple[str, ...]:
    """Modules that a module imports at top level; imports inside functions do not count."""
    names = []
    for statement in ast.parse((ROOT / _module_file(module)).read_text("utf-8")).body:
        if isinstance(statement, ast.Import):
            names += [alias.name for alias in statement.names]
        elif isinstance(statement, ast.ImportFrom) and statement.module:
            names.append(statement.module)
            names += [f"{statement.module}.{alias.name}" for alias in statement.names]
    return tuple(name for name in names if name.split(".")[0] in PACKAGES)


@cache
def _module_file(module: str) -> str | None:
    """Path of a module from the root; None if it is not a file of the repository."""
    if not module:
        return None
    base = Path(*module.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if (ROOT / path).is_file():
            return str(path)
    return None
