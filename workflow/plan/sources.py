"""Which files of the repository a program runs, so that a rule can declare them as its input.

Snakemake does not look into programs that a shell command calls: an edit reruns what it touches
only if the rule names the file.
"""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("workflow", "dcgmm", "baselines")


def of_module(name: str) -> list[str]:
    """The module and all it imports at its top level, transitively, as paths from the root."""
    found: dict[str, None] = {}
    waiting = [name]
    while waiting:
        module = waiting.pop()
        if module not in found and _file(module):
            found[module] = None
            waiting += [module.rpartition(".")[0], *_imports(module)]
    return sorted(_file(module) for module in found)


def of_package(name: str) -> list[str]:
    """Every Python file of a package."""
    return sorted(str(path.relative_to(ROOT)) for path in (ROOT / name).rglob("*.py"))


def of_imports(name: str) -> list[str]:
    """The modules of a package and all they import at their top level, transitively."""
    modules = (ROOT / name.replace(".", "/")).rglob("*.py")
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in modules]
    return sorted({file for module in names for file in of_module(module)})


@cache
def _imports(module: str) -> tuple[str, ...]:
    """What a module's own statements import; imports inside functions are left to their caller."""
    names = []
    for statement in ast.parse((ROOT / _file(module)).read_text("utf-8")).body:
        if isinstance(statement, ast.Import):
            names += [alias.name for alias in statement.names]
        elif isinstance(statement, ast.ImportFrom) and statement.module:
            names.append(statement.module)
            names += [f"{statement.module}.{alias.name}" for alias in statement.names]
    return tuple(name for name in names if name.split(".")[0] in PACKAGES)


@cache
def _file(module: str) -> str | None:
    if not module:
        return None
    base = Path(*module.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if (ROOT / path).is_file():
            return str(path)
    return None
