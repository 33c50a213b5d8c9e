"""Small language models that are trained once for all tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from small_language_models import save_model


@pytest.fixture(scope="session")
def language_model(corpus: Path, built_once) -> Callable[[str], Path]:
    """From a name of `KINDS` to the folder of a model, trained when it is first asked for. Tests must not change it."""
    return lambda name: built_once(f"model-{name}", lambda folder: save_model(name, corpus, folder))
