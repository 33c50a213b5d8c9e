"""The published schemas of results.json and study.json are those of the code, and real files follow them."""

import importlib.util
import json
from pathlib import Path

import jsonschema
import pytest

from twotower.comparison.study import study_in
from twotower.config.conversion import as_json
from twotower.results.results import results_in
from twotower.studies import compare_folders
from twotower.system.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
SPEC = importlib.util.spec_from_file_location("schemas", ROOT / "tools" / "schemas.py")
schemas = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(schemas)


def published(name):
    return json.loads((ROOT / "docs" / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8"))


def test_what_is_published_is_what_the_code_says():
    for path, text in schemas.written().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name} is old; run `make schemas`"


def test_a_real_run_and_a_real_comparison_follow_the_schema(finished, second_seed, tmp_path):
    values = json.loads((finished / "results.json").read_text())
    validator = jsonschema.Draft202012Validator(published("results"))
    validator.validate(values)
    values["division"]["size"]["estimate"] = "large"
    assert not validator.is_valid(values)
    compare_folders([finished, second_seed], tmp_path / "both")
    jsonschema.validate(json.loads((tmp_path / "both" / "study.json").read_text()), published("study"))
    text = (tmp_path / "both" / "study.json").read_text()
    assert as_json(study_in(tmp_path / "both" / "study.json"), indent=1) == text


def test_results_are_read_back_to_the_byte_and_a_key_that_is_missing_is_named(finished, tmp_path):
    text = (finished / "results.json").read_text()
    assert as_json(results_in(finished / "results.json", finished)) == text
    values = json.loads(text)
    del values["reliability"]["low"]
    (tmp_path / "results.json").write_text(json.dumps(values))
    with pytest.raises(InputError, match=r"results\.json: reliability: low is missing; .*twotower analyze"):
        results_in(tmp_path / "results.json", tmp_path)
