"""Known vulnerabilities of the installed packages, looked up by pip-audit where its service can be reached.

    python tools/audit.py

Exits with 1 if a package has one. A machine that cannot reach the service is told so, and that nothing was looked up.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any


def verdict(dependencies: list[dict[str, Any]]) -> tuple[int, list[str]]:
    """The exit code and the lines that say what pip-audit found.

    Args:
        dependencies: the list of this name in pip-audit's JSON: a package is either `skip_reason`, or has its `version`
            and its `vulns`.
    """
    looked_up = [package for package in dependencies if "skip_reason" not in package]
    if not looked_up:
        return 0, [f"audit: none of {len(dependencies)} packages could be looked up from here; nothing was audited"]
    findings = [
        f"audit: {package['name']} {package['version']}: {vulnerability['id']}; "
        f"fixed in {', '.join(vulnerability['fix_versions']) or 'no release yet'}"
        for package in looked_up
        for vulnerability in package["vulns"]
    ]
    skipped = len(dependencies) - len(looked_up)
    summary = f"audit: {len(looked_up)} packages looked up, {skipped} unknown to the service, {len(findings)} findings"
    return int(bool(findings)), [*findings, summary]


def main() -> int:
    """Ask pip-audit about this environment; print what it found; return the exit code."""
    command = [sys.executable, "-m", "pip_audit", "--local", "--format", "json", "--progress-spinner", "off"]
    asked = subprocess.run(command, capture_output=True, text=True)
    try:
        dependencies = json.loads(asked.stdout)["dependencies"]
    except ValueError:  # pip-audit ends in an error, without JSON, if it cannot connect at all
        reason = (asked.stderr.strip().splitlines() or ["no output"])[-1]
        if "ConnectionError" not in asked.stderr and "Timeout" not in asked.stderr:
            print(f"audit: pip-audit failed: {reason}", file=sys.stderr)
            return 2
        dependencies = []
    code, lines = verdict(dependencies)
    print("\n".join(lines))
    return code


if __name__ == "__main__":
    sys.exit(main())
