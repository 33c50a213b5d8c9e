"""Gather what twotower needs for a machine without a network: wheels of another Python and platform.

Compute nodes usually have PyTorch and what comes with it, in their own versions; these packages are left out, and
with them what only they need. `pip install --no-index --find-links wheels --no-deps wheels/*.whl` installs the rest.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import distribution
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROVIDED = (
    "torch", "transformers", "accelerate", "numpy", "scipy", "scikit-learn", "pandas", "pyarrow", "matplotlib",
)  # fmt: skip
"""What is expected on the other machine."""
COMING_ALONG = ("tokenizers", "safetensors", "huggingface-hub")
"""What the provided packages bring in the versions that fit them: never replaced."""

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


def main(arguments: Sequence[str] | None = None) -> int:
    """Download the wheels and build that of twotower; returns pip's exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default="3.12", help="version of Python there")
    parser.add_argument("--platform", default="manylinux_2_28_x86_64", help="platform tag there; older ones are tried")
    parser.add_argument("--out", type=Path, default=Path("wheels"), help="folder that takes the wheels")
    asked = parser.parse_args(arguments)
    architecture = asked.platform.split("_", 3)[-1]
    tags = [asked.platform, *(f"{tag}_{architecture}" for tag in ("manylinux_2_17", "manylinux2014", "manylinux_2_12",
            "manylinux2010", "manylinux_2_5", "manylinux1"))]  # fmt: skip
    pip = [sys.executable, "-m", "pip"]
    names = [f"{name}=={distribution(name).version}" for name in needed("twotower", asked.python)]
    download = [
        *pip, "download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest", str(asked.out),
        "--python-version", asked.python, "--implementation", "cp",
        *(word for tag in dict.fromkeys(tags) for word in ("--platform", tag)), *names,
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
