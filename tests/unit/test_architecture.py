"""Data walks forward along one line: each module imports only from those before it."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "rlhf_app"

ORDER = (
    "errors",
    "settings",
    "records",
    "store",
    "annotation_log",
    "data",
    "sample",
    "annotation",
    "reward",
    "training.config",
    "training.pairs",
    "training.snapshot",
    "training.events",
    "training.batching",
    "training.plan",
    "training.runs",
    "evaluation",
    "training.trainer",
    "training.worker",
    "ui",
    "launch",
    "cli",
    "__main__",
)
"""A name stands for a module, or for a package whose modules may import each other."""

HEAVY = {"torch", "transformers", "trl"}


class Import(NamedTuple):
    """An import of `name` (dotted, absolute) in a module, at its top level or inside a function."""

    module: str
    name: str
    on_import: bool


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def names_of(node: ast.Import | ast.ImportFrom, path: Path) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not node.level:
        return [node.module or ""]
    folder = path.parents[node.level - 1].relative_to(ROOT).parts
    base = ".".join([*folder, *([node.module] if node.module else [])])
    return [f"{base}.{alias.name}" for alias in node.names]


@cache
def imports() -> tuple[Import, ...]:
    """Every import of every module of the package."""
    return tuple(found())


def found() -> Iterator[Import]:
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        inside = {
            id(node)
            for function in ast.walk(tree)
            if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
            for node in ast.walk(function)
        }
        for node in ast.walk(tree):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                for name in names_of(node, path):
                    yield Import(module_name(path), name, id(node) not in inside)


def place(module: str) -> int:
    """Return where a module stands in the order: by its own name, or by its package's."""
    for name in (module, *(module.rsplit(".", cut)[0] for cut in range(1, module.count(".") + 1))):
        if name in ORDER:
            return ORDER.index(name)
    raise AssertionError(f"{module} has no place in the order. Put it where data passes it.")


def own(name: str) -> str | None:
    """Return the module of the package that an imported name is or belongs to."""
    if not name.startswith("rlhf_app."):
        return None
    path = PACKAGE.joinpath(*name.split(".")[1:])
    exists = path.is_dir() or path.with_suffix(".py").exists()
    return ".".join(name.split(".")[1 : None if exists else -1])


def test_every_module_has_a_place_in_the_order() -> None:
    modules = {module_name(path) for path in PACKAGE.rglob("*.py")} - {"", "training"}
    assert all(place(module) >= 0 for module in modules)


def test_no_name_in_the_order_is_left_over() -> None:
    gone = [name for name in ORDER if own(f"rlhf_app.{name}") != name]
    assert gone == []


def test_no_import_points_forward() -> None:
    forward = {
        (each.module, target)
        for each in imports()
        if each.module and (target := own(each.name)) and place(target) > place(each.module)
    }
    assert forward == set()


def test_no_package_hides_imports_in_its_init() -> None:
    packages = ("", "data", "annotation", "reward", "training", "evaluation")
    assert [each for each in imports() if each.module in packages] == []


def test_tabs_do_not_import_each_other() -> None:
    tabs = {path.stem for path in (PACKAGE / "ui").glob("*_tab.py")}
    pairs = {(each.module.removeprefix("ui."), (own(each.name) or "").removeprefix("ui.")) for each in imports()}
    assert {(one, other) for one, other in pairs if one in tabs and other in tabs} == set()


def test_only_the_browser_knows_gradio() -> None:
    knows = {each.module.split(".")[0] for each in imports() if each.name.split(".")[0] in ("gradio", "gradio_client")}
    assert knows <= {"ui", "launch"}


def test_the_heavy_libraries_are_loaded_on_import_by_the_trainer_alone() -> None:
    assert {each.module for each in imports() if each.on_import and each.name.split(".")[0] in HEAVY} == {
        "training.trainer"
    }


@pytest.mark.parametrize(("library", "module"), [("trl", "training.trainer"), ("argilla", "annotation.argilla_sync")])
def test_one_module_alone_knows_a_library(library: str, module: str) -> None:
    assert {each.module for each in imports() if each.name.split(".")[0] == library} <= {module}


@pytest.mark.parametrize(
    "module", ["rlhf_app.cli", "rlhf_app.training.runs", "rlhf_app.launch", "rlhf_app.reward.files"]
)
def test_importing_the_commands_loads_no_heavy_library(module: str) -> None:
    ask = f"import json, sys, {module}; print(json.dumps(sorted(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", ask], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(json.loads(answer.stdout))
    assert not loaded & {*HEAVY, "gradio", "pandas", "numpy", "scipy", "pyarrow", "datasets", "argilla"}
