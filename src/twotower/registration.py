"""Makes `transformers` know the towers as soon as both are imported, without importing it: that takes seconds."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from types import ModuleType

AUTO = "transformers.models.auto.modeling_auto"
"""The module that holds the `Auto` classes; `transformers` imports it when the first of them is asked for."""


def register_with_transformers() -> None:
    """Register the towers with the `Auto` classes: now if they are imported already, else when they are."""
    if AUTO in sys.modules:
        _register()
    elif not any(isinstance(finder, _AfterAuto) for finder in sys.meta_path):
        sys.meta_path.insert(0, _AfterAuto())


def _register() -> None:
    from .modeling.language_models import register

    register()


class _AfterAuto(importlib.abc.MetaPathFinder):
    """Finds nothing itself; registers the towers after the `Auto` classes' module has been executed."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != AUTO:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            spec.loader = _Registering(spec.loader)
        return spec


class _Registering(importlib.abc.Loader):
    def __init__(self, loader: importlib.abc.Loader) -> None:
        self._loader = loader

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        _register()
