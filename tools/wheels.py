"""Gather what twotower needs for a machine without a network: wheels of another Python and platform.

Compute nodes usually have PyTorch and what comes with it, in their own versions; these packages are left out, and
with them what only they need. `pip install --no-index --no-deps --target FOLDER wheels/*.whl` installs the rest.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import distribution
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.tags import Tag
from packaging.utils import canonicalize_name, parse_wheel_filename

PROVIDED = (
    "torch", "transformers", "accelerate", "numpy", "scipy", "scikit-learn", "pandas", "pyarrow", "matplotlib",
)  # fmt: skip
"""What is expected on the other machine."""
COMING_ALONG = ("tokenizers", "safetensors", "huggingface-hub")
"""What the provided packages bring in the versions that fit them: never replaced."""

LEGACY = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
"""The older names of three of the tags `manylinux_2_N`."""
Requires = Callable[[str], list[str]]


def installed_requires(name: str) -> list[str]:
    """What an installed package asks for, as its metadata has it."""
    return list(distribution(name).requires or [])


def needed(root: str, python: str, requires: Requires = installed_requires) -> list[str]:
    """The packages that `root` needs on Linux with a Python, such as `3.12`, beside what is provided; sorted."""
    environment = {
        **default_environment(), "python_version": python, "python_full_version": f"{python}.0",
        "sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "implementation_name": "cpython",
    }  # fmt: skip
    provided = {canonicalize_name(name) for name in (*PROVIDED, *COMING_ALONG)}
    seen = {(root, "")}
    waiting = [(root, "")]
    while waiting:
        name, extra = waiting.pop()
        for line in requires(name):
            requirement = Requirement(line)
            asked = canonicalize_name(requirement.name)
            wanted = requirement.marker is None or requirement.marker.evaluate({**environment, "extra": extra})
            if not wanted or asked in provided:
                continue
            for part in {(asked, ""), *((asked, chosen) for chosen in requirement.extras)} - seen:
                seen.add(part)
                waiting.append(part)
    return sorted({name for name, _ in seen} - {root})


def platform_tags(platform: str) -> list[str]:
    """A platform and the older ones whose wheels run there, since pip matches tags exactly; newest first."""
    known = re.fullmatch(r"(manylinux_2_(\d+)|manylinux(?:2014|2010|1))_(\w+)", platform)
    if not known:
        return [platform]
    newest = next((number for number, name in LEGACY.items() if name == known[1]), int(known[2] or 0))
    tags = []
    for number in range(newest, 4, -1):
        tags += [f"manylinux_2_{number}_{known[3]}"]
        tags += [f"{LEGACY[number]}_{known[3]}"] if number in LEGACY else []
    return tags


def foreign(folder: Path, python: str, platforms: Sequence[str]) -> list[str]:
    """The wheels in a folder that a Python on these platforms would not install."""
    version = f"cp{python.replace('.', '')}"

    def fits(tag: Tag) -> bool:
        interpreter = tag.interpreter in (version, f"py{version[2:]}", "py3") or tag.abi == "abi3"
        return interpreter and tag.platform in ("any", *platforms)

    names = sorted(path.name for path in folder.glob("*.whl"))
    return [name for name in names if not any(fits(tag) for tag in parse_wheel_filename(name)[3])]


def main(arguments: Sequence[str] | None = None) -> int:
    """Download the wheels and build that of twotower; returns pip's exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default="3.12", help="version of Python there")
    parser.add_argument("--platform", default="manylinux_2_28_x86_64", help="platform tag there; older ones are tried")
    parser.add_argument("--out", type=Path, default=Path("wheels"), help="folder that takes the wheels")
    asked = parser.parse_args(arguments)
    tags = platform_tags(asked.platform)
    if strangers := foreign(asked.out, asked.python, tags):
        parser.error(
            f"{asked.out} has wheels for another machine ({strangers[0]}, say), not for Python {asked.python} on "
            f"{asked.platform}; give another --out, or remove them"
        )
    pip = [sys.executable, "-m", "pip"]
    names = [f"{name}=={distribution(name).version}" for name in needed("twotower", asked.python)]
    download = [
        *pip, "download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest", str(asked.out),
        "--python-version", asked.python, "--implementation", "cp",
        *(word for tag in tags for word in ("--platform", tag)), *names,
    ]  # fmt: skip
    own = [*pip, "wheel", "--quiet", "--no-deps", "--wheel-dir", str(asked.out), str(Path(__file__).parents[1])]
    for command in (download, own):
        if code := subprocess.run(command, check=False).returncode:
            return code
    wheels = sorted(asked.out.glob("*.whl"))
    size = sum(path.stat().st_size for path in wheels)
    print(f"{asked.out}: {len(wheels)} wheels, {size / 1e6:.0f} MB, for Python {asked.python} on {asked.platform}")
    print(f"expected there: {', '.join((*PROVIDED, *COMING_ALONG))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
