"""The rooms of docs/architecture.md: imports run one way, in the package and in the benchmarks."""

import ast
import pkgutil
from graphlib import TopologicalSorter
from importlib import import_module
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

import twotower

ROOT = Path(__file__).resolve().parents[1]


def test_each_room_imports_only_from_those_below_it(capsys):
    assert lint_imports(str(ROOT / "pyproject.toml"), no_cache=True) == 0, capsys.readouterr().out


@pytest.mark.promise("every module can be imported")
def test_every_module_can_be_imported():
    names = [module.name for module in pkgutil.walk_packages(twotower.__path__, "twotower.")]
    assert len(names) > 300
    for name in names:
        assert import_module(name).__doc__, f"what is in {name}?"


def test_the_benchmarks_import_each_other_in_no_circle():
    graph = {}
    for path in (ROOT / "benchmarks" / "speed").glob("*.py"):
        imports = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
        near = [node for node in imports if node.level == 1]
        graph[path.stem] = {node.module or name.name for node in near for name in node.names}
    assert set(graph) <= set(TopologicalSorter(graph).static_order())  # raises where there is a circle
