"""Write the JSON Schemas of `results.json` and `study.json`, and the page that lists their keys, into `docs/`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from twotower.comparison.diffs import DiffsCompared
from twotower.comparison.study import Study
from twotower.config.json_schema import schema_of
from twotower.results.diff_results import DiffResults
from twotower.results.results import Results

DOCS = Path(__file__).resolve().parents[1] / "docs"
FILES = {
    "results": (Results, "results.json of a run"),
    "study": (Study, "study.json of a study or a comparison"),
    "diff": (DiffResults, "results.json of a comparison of models"),
    "diffs": (DiffsCompared, "diffs.json of several comparisons of models"),
}
TITLES = {"diff": "results.json of a comparison of models", "diffs": "diffs.json of several comparisons of models"}
HEAD = """# Keys of results.json and study.json

`results.json` holds every number of a run's report, `study.json` every number of a study's page. Their JSON Schemas are
[results.schema.json](schemas/results.schema.json) and [study.schema.json](schemas/study.schema.json); that of the
`results.json` of [a comparison of models](diff.md) is [diff.schema.json](schemas/diff.schema.json), that of the
`diffs.json` of several is [diffs.schema.json](schemas/diffs.schema.json). From Python the same are attributes:
`run.results().division.surplus.estimate` and `comparison.results().runs[0].reliability.low`. A number that cannot be
computed is null, in Python NaN. What the figures mean is defined in [Statistics](statistics.md).

This page is made from the docstrings by `make schemas`.
"""


def schemas() -> dict[str, dict[str, Any]]:
    """The schema of each file, by its name without an ending."""
    return {name: schema_of(kind, title) for name, (kind, title) in FILES.items()}


def page(file_schemas: dict[str, dict[str, Any]]) -> str:
    """Every record of both files: its keys, their types and what they mean."""
    parts = [HEAD]
    told: set[str] = set()
    for name, schema in file_schemas.items():
        root = schema["$ref"].removeprefix("#/$defs/")
        parts.append(f"## {TITLES.get(name, name + '.json')}\n\nThe whole file is a [{root}](#{_anchor(root)}).\n")
        for record in [root, *(definition for definition in schema["$defs"] if definition != root)]:
            if record not in told:
                told.add(record)
                parts.append(_record(record, schema["$defs"][record]))
    return "\n".join(parts)


def _record(name: str, schema: dict[str, Any]) -> str:
    rows = [
        f"| `{key}` | {_type(value_schema)} | {_escaped(value_schema.get('description', ''))} |"
        for key, value_schema in schema["properties"].items()
    ]
    if schema["additionalProperties"]:
        rows.append(f"| others | {_type(schema['additionalProperties'])} | |")
    table = "\n".join(["| key | type | meaning |", "|---|---|---|", *rows])
    return f"### {name}\n\n{_escaped(schema['description'])}\n\n{table}\n"


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        return f"[{name}](#{_anchor(name)})"
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(map(_type, schema["anyOf"])))
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    kind = schema.get("type", "any")
    if kind == "array":
        items = schema.get("prefixItems") or [schema["items"]]
        return f"list of {_type(items[0])}"
    if kind == "object" and "properties" in schema:
        return "object with " + ", ".join(
            f"`{key}`: {_type(value_schema)}" for key, value_schema in schema["properties"].items()
        )
    if kind == "object":
        return f"object of {_type(schema['additionalProperties'])}"
    return "number" if kind == ["number", "null"] else str(kind)


def _anchor(name: str) -> str:
    return name.lower().replace(".", "")


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def written() -> dict[Path, str]:
    """What each file in `docs/` should hold."""
    file_schemas = schemas()
    files = {
        DOCS / "schemas" / f"{name}.schema.json": json.dumps(schema, indent=1) + "\n"
        for name, schema in file_schemas.items()
    }
    return files | {DOCS / "keys.md": page(file_schemas)}


def main() -> None:
    """Write them."""
    for path, text in written().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
