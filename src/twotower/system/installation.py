"""Whether the packages that twotower needs are installed, in versions that it works with."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import metadata

from packaging.requirements import Requirement


def installation_faults(requirements: Sequence[str] | None = None) -> list[str]:
    """A line for each package that is missing or of another version than is required, and what to do.

    Without `requirements` those that twotower was installed with.
    """
    if requirements is None:
        try:
            requirements = metadata.requires("twotower") or []
        except metadata.PackageNotFoundError:
            return ["twotower is not installed, only its source is found; `pip install .` in its folder installs it"]
    faults = []
    for requirement in map(Requirement, requirements):
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        install = f"`{sys.executable} -m pip install '{requirement.name}{requirement.specifier}'`"
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            faults.append(f"{requirement.name} is missing; {install}")
            continue
        if not requirement.specifier.contains(version, prereleases=True):
            faults.append(f"{requirement.name} is {version}, and {requirement.specifier} is needed; {install}")
    return faults
