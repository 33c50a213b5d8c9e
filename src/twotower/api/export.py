"""A run as a folder to share: a model that the hub takes, and the supplement of a paper."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from ..report.card import card
from ..report.contents import read_contents
from ..report.page import render
from ..results.results import read_results
from ..runs.exported import MODEL_FILES, is_exported, write_manifest
from ..runs.finished import RunFolder
from ..runs.provenance import read_provenance
from ..runs.writing import make_folder, naming_disk_errors, write_text
from ..system.errors import InputError

COPIED = ("config.yaml", "provenance.json", "results.json", "preference.parquet", "metrics.jsonl")
"""Files that hold none of the text but the pieces of the vocabulary."""
WITH_TEXT = ("scores.parquet",)
"""Files that hold the held-out text: its pieces stand there in their order."""


def export(run: RunFolder, folder: Path, with_text: bool = False) -> Path:
    """Write a finished run into `folder`: model, card, results, tables, page and figures.

    Held-out text goes along only if `with_text` says so, as `scores.parquet` and as passages of the page; text of
    training, checkpoints and trunk never do. A failure leaves nothing behind. Raises `InputError` if the run is not
    finished, is an export itself, or `folder` holds anything.
    """
    if is_exported(run.path):
        raise InputError(f"{run.path} is an export already; copy it, or export the run folder that it was made from")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} exists; give a folder that does not, or an empty one")
    for artifact in ("model", "results.json", "preference.parquet", "report.html", "scores.parquet", "metrics.jsonl"):
        run.require(artifact)
    make_folder(folder.parent)
    with naming_disk_errors(folder), TemporaryDirectory(prefix=".twotower-", dir=folder.parent) as temporary:
        export = Path(temporary) / "export"
        _fill(run, export, with_text)
        if folder.exists():
            folder.rmdir()
        export.rename(folder)
    return folder


def _fill(run: RunFolder, folder: Path, with_text: bool) -> None:
    folder.mkdir()
    for name in MODEL_FILES:
        if (run.path / "model" / name).is_file():
            shutil.copyfile(run.path / "model" / name, folder / name)
    for name in (*COPIED, *(WITH_TEXT if with_text else ())):
        shutil.copyfile(run.path / name, folder / name)
    if (run.path / "figures").is_dir():
        shutil.copytree(run.path / "figures", folder / "figures")
    contents = read_contents(run.config, run.path)
    write_text(folder / "report.html", render(contents if with_text else contents.without_text()))
    provenance = read_provenance(run.path)
    present = {path.name for path in folder.iterdir()} | {"exported.json"}
    text = card(run.config, read_results(run), provenance, present, with_text)
    write_text(folder / "README.md", text)
    write_manifest(folder)


def push(folder: Path, name: str, private: bool = True) -> str:
    """Send an export to the hub as the model `name` (OWNER/MODEL), and return its address.

    The token is the one that `hf auth login` or the variable HF_TOKEN gives; HF_ENDPOINT names another hub. Raises
    `InputError` where the hub refuses, or cannot be reached.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HFValidationError, OfflineModeIsEnabled

    api = HfApi()
    try:
        address = api.create_repo(name, private=private, exist_ok=True)
        api.upload_folder(repo_id=name, folder_path=folder, commit_message="A run of twotower")
    except HFValidationError as error:
        raise InputError(
            f"--push: {name!r} is not the name of a model; give OWNER/MODEL ({_first_line(error)})"
        ) from None
    except OfflineModeIsEnabled:
        raise InputError("--push: HF_HUB_OFFLINE is set, so that the hub is not asked; unset it") from None
    except Exception as error:  # the client's versions stand on different HTTP libraries, each with errors of its own
        raise InputError(
            f"--push: the hub did not take {name} ({_first_line(error)}); {folder} is complete, so that "
            f"`hf upload {name} {folder}` can send it later"
        ) from None
    return str(address)


def _first_line(error: Exception) -> str:
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
