"""What reads files that others made: each target takes the bytes of one, and a folder to put them in.

A target returns, or raises `InputError`; anything else is a bug. Hypothesis (`test_fuzz.py`) and Atheris
(`python tests/fuzz/coverage.py TARGET`) both drive them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from twotower.config.numerals import whole_number
from twotower.config.schema import PrepareConfig, RunConfig
from twotower.config.settings import by_name, from_dict, to_dict
from twotower.config.validation import validate
from twotower.data.articles import articles
from twotower.data.conllu import read_conllu
from twotower.data.corpora import open_corpus
from twotower.data.files import TextFile
from twotower.data.norms import read_norms
from twotower.data.text_tables import read_parquet
from twotower.data.textfiles import blocks_of, decode, lines_of
from twotower.data.tokenization import encode, vocabulary_of
from twotower.data.tokenizer_files import load_tokenizer
from twotower.data.trees import read_trees
from twotower.data.word_pairs import read_word_pairs
from twotower.knowledge.pairs.pair_files import read_files
from twotower.knowledge.pairs.syntaxgym import read_suite
from twotower.runs.records import load_config, read_records
from twotower.runs.verification import verify
from twotower.system.errors import InputError

Target = Callable[[bytes, Path], None]


def placed(data: bytes, folder: Path, name: str) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def conllu(data: bytes, folder: Path) -> None:
    for document in read_conllu(placed(data, folder, "bank.conllu"), "utf-8"):
        for word in document.words or ():
            assert 0 <= word.start <= word.end <= len(document.text)


def trees(data: bytes, folder: Path) -> None:
    for tree in read_trees(placed(data, folder, "trees.conllu")):
        assert sum(word.head == 0 for word in tree.words) == 1
        assert all(0 <= word.head <= len(tree.words) for word in tree.words)
        assert len(tree.depths) == len(tree.words)


def text(data: bytes, folder: Path) -> None:
    path = placed(data, folder, "a.txt")
    for encoding in ("utf-8", "latin-1", "utf-16", "ascii", "no-such-encoding"):
        try:
            whole = decode(path, encoding)
            lines = list(lines_of(path, encoding))
        except InputError:
            continue
        assert "\0" not in whole and "".join(lines).split() == whole.replace("\r", "\n").split()
        for by_line in (True, False):
            numbers = [number for number, _ in blocks_of(path, encoding, by_line)]
            assert numbers == sorted(set(numbers))


def wikitext(data: bytes, folder: Path) -> None:
    lines = list(lines_of(placed(data, folder, "a.txt"), "utf-8"))
    documents = list(articles(iter(lines), "source"))
    assert "".join(body for _, body in documents).split() == "".join(lines).split()


def norms(data: bytes, folder: Path) -> None:
    for name in ("norms.csv", "norms.tsv"):
        try:
            norms = read_norms(str(placed(data, folder, name)))
        except InputError:
            continue
        table = norms.table
        assert set(table.columns) <= {"concreteness", "age_of_acquisition"} and table.index.is_unique
        assert all(table[name].nunique() > 0 and not np.isinf(table[name]).any() for name in table.columns)
        assert list(norms.tell("norms"))


def similarity(data: bytes, folder: Path) -> None:
    pairs = read_word_pairs(str(placed(data, folder, "pairs.csv")))
    assert len(pairs.words) == len(pairs.ratings) >= 2 and np.isfinite(pairs.ratings).all()


def minimal_pairs(data: bytes, folder: Path) -> None:
    for name in ("pairs.csv", "pairs.jsonl", "pairs.tsv", "pairs.txt", "pairs.json", "pairs.parquet"):
        path = placed(data, folder, name)
        try:
            pairs = [pair for file in read_files(str(path)) for pair in file.pairs]
        except InputError:
            continue
        finally:
            path.unlink()
        assert all(pair.good.strip() and pair.bad.strip() for pair in pairs)
        assert not any("\ud800" <= letter <= "\udfff" for pair in pairs for letter in pair.good + pair.bad)


def suite(data: bytes, folder: Path) -> None:
    suite = read_suite(placed(data, folder, "suite.json"))
    for condition in suite.conditions:
        numbers, ends = condition.ends
        assert len(numbers) == len(ends) and ends[-1:] in ([], [len(condition.text)])


def parquet(data: bytes, folder: Path) -> None:
    for document in read_parquet(TextFile.of(placed(data, folder, "a.parquet")), "utf-8", ""):
        assert isinstance(document.text, str)


def corpus_file(*names: str) -> Target:
    """A file with each of these names, read as whatever its suffix and content say."""

    def read(data: bytes, folder: Path) -> None:
        accepted = 0
        for name in names:
            path = placed(data, folder, name)
            try:
                documents = list(open_corpus(PrepareConfig(corpus=(str(path),))).documents())
            except InputError:
                continue
            finally:
                path.unlink()
            accepted += 1
            assert all(document.text.encode() and document.name for document in documents)
        if not accepted:
            raise InputError("none of them can be read")

    return read


def tokenizer(data: bytes, folder: Path) -> None:
    for name in ("tokenizer.json", "vocab.txt"):
        try:
            loaded = load_tokenizer(placed(data, folder, name))
        except InputError:
            continue
        vocabulary = vocabulary_of(loaded)
        assert len({vocabulary.pad, vocabulary.mask, vocabulary.cls, vocabulary.sep}) == 4
        encoded = encode(loaded, "The union of states.")
        assert len(encoded.ids) == len(encoded.begins) and (encoded.ends <= 20).all()


def numerals(data: bytes, folder: Path) -> None:
    words = data.decode("utf-8", "replace").split("\n")
    for word in words:
        try:
            whole_number("seed", word)
        except InputError:
            continue


def configuration(data: bytes, folder: Path) -> None:
    placed(data, folder, "config.yaml")
    loaded = load_config(folder)
    validate(loaded)
    assert from_dict(to_dict(loaded)) == loaded and by_name(loaded).keys() == by_name(RunConfig()).keys()


def records(data: bytes, folder: Path) -> None:
    """`stages.json` of a run that has one artifact, and what everything that reads it makes of it."""
    from twotower.api.runs import Run

    placed(data, folder, "stages.json")
    (folder / "config.yaml").write_text("seed: 0\n", encoding="utf-8")
    (folder / "tokenizer.json").write_text("{}", encoding="utf-8")
    for read in (lambda: read_records(folder), lambda: verify(folder), Run(folder).results, Run(folder).preference):
        try:
            read()
        except InputError:
            continue
    faults = verify(folder)[1]
    assert all(str(folder) in fault for fault in faults)


def checkpoint(data: bytes, folder: Path) -> None:
    """The index of a sharded checkpoint, signed again: the shards are read as they were written, or it is refused."""
    import torch

    from twotower.runs.checkpoint_index import INDEX, is_whole, read_index
    from twotower.training.checkpoints import load_checkpoint

    content, shards = _sharded()
    for name, shard in shards.items():
        placed(shard, folder, name)
    placed(data, folder, INDEX)
    with suppress(ValueError, RecursionError):
        found = json.loads(data)
        if isinstance(found, dict):
            placed(_signed(found), folder, INDEX)
    module = torch.nn.Linear(3, 5)
    if not is_whole(folder):
        with suppress(ValueError):
            assert list(read_index(folder).digests.values()) != list(content["digests"].values())
        raise InputError("it is damaged")
    load_checkpoint(folder, module, [torch.optim.AdamW(module.parameters())])
    assert module.weight.tolist() == torch.arange(15.0).reshape(5, 3).tolist()


@cache
def _sharded() -> tuple[dict[str, Any], dict[str, bytes]]:
    """A checkpoint of five rows as two processes write it: its index, and its shards by name."""
    import hashlib

    import torch
    from safetensors.torch import save

    values = {"weight": torch.arange(15.0).reshape(5, 3), "bias": torch.arange(5.0)}
    tensors = {f"model/{name}": value for name, value in values.items()}
    for name, value in values.items():
        tensors |= {f"optimizer/{name}|{key}": value.clone() for key in ("exp_avg", "exp_avg_sq")}
    rows = [{name: value[start : start + 3].clone() for name, value in tensors.items()} for start in (0, 3)]
    steps = {f"optimizer/{name}|step": torch.tensor(3.0) for name in values}
    shards = {f"shard-{number:05d}-of-00002.safetensors": save(part | steps if number == 0 else part)
              for number, part in enumerate(rows)}  # fmt: skip
    index = {
        "state": {"step": 3},
        "digests": {name: hashlib.sha256(b"." + shard).hexdigest() for name, shard in shards.items()},
        "tensors": {name: {"shape": list(value.shape), "rows": [0, 3, 5]} for name, value in tensors.items()}
        | {name: {"shape": []} for name in steps},
    }
    return index, shards


def _signed(content: dict[str, Any]) -> bytes:
    import hashlib

    content = {name: value for name, value in content.items() if name != "digest"}
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return json.dumps(content | {"digest": digest}).encode()


TARGETS: dict[str, Target] = {
    "conllu": conllu, "trees": trees, "text": text, "wikitext": wikitext, "norms": norms, "similarity": similarity,
    "minimal_pairs": minimal_pairs, "suite": suite, "parquet": parquet, "tokenizer": tokenizer,
    "text_tables": corpus_file("a.jsonl", "a.json", "a.csv", "a.tsv"),
    "markup": corpus_file("a.xml", "a.html", "a.txt"), "transcripts": corpus_file("a.cha", "a.vrt", "a.txt"),
    "packed": corpus_file("a.txt.gz", "a.zip", "a.tar"), "numerals": numerals,
    "configuration": configuration, "records": records, "checkpoint": checkpoint,
}  # fmt: skip
PARSERS = ("conllu", "trees", "text", "wikitext", "norms", "similarity", "minimal_pairs", "suite", "numerals")
"""The parsers that are ours."""


def seeds() -> dict[str, list[bytes]]:
    """Whole examples of what each target reads, for mutation."""
    import gzip
    import io
    import zipfile

    import pyarrow as pa
    import pyarrow.parquet as pq
    import yaml

    from twotower.data.tokenizer_training import SPECIAL_TOKENS
    from twotower.runs.stages import STAGES, stage_settings

    bank = (
        b"# newdoc id = one\n# sent_id = 1\n# text = don't go\n1-2\tdon't\t_\t_\t_\t_\t_\t_\t_\t_\n"
        b"1\tdo\tdo\tAUX\t_\tMood=Imp\t3\taux\t_\t_\n2\tn't\tnot\tPART\t_\t_\t3\tadvmod\t_\t_\n"
        b"3\tgo\tgo\tVERB\t_\tVerbForm=Inf\t0\troot\t_\tSpaceAfter=No\n3.1\tx\tx\tX\t_\t_\t_\t_\t_\t_\n"
        b"4\t.\t.\tPUNCT\t_\t_\t3\tpunct\t_\t_\n\n"
    )
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as members:
        members.writestr("a/one.txt", "one")
        members.writestr("a/two.txt", "two")
    table = io.BytesIO()
    pq.write_table(pa.table({"text": ["one\0", "two words"] * 20, "n": list(range(40))}), table)
    vocabulary = [*SPECIAL_TOKENS, *"abcdefghinostu", *(f"##{c}" for c in "abcdefghinostu"), "the", "."]
    words = json.dumps(
        {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [],
         "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True,
                        "strip_accents": None, "lowercase": True},
         "pre_tokenizer": {"type": "BertPreTokenizer"}, "post_processor": None,
         "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
         "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                   "max_input_chars_per_word": 100, "vocab": {piece: index for index, piece in enumerate(vocabulary)}}}
    )  # fmt: skip
    config = RunConfig()
    recorded = {
        stage.name: {
            "format": stage.format, "settings": stage_settings(config, stage),
            "inputs": dict.fromkeys(stage.inputs, "0"),
            "outputs": {name: {"digest": "0", "files": {".": "0"}, "stat": [[".", 2, 1]]} for name in stage.outputs},
            "seconds": 1.0,
        }
        for stage in STAGES.values()
    }  # fmt: skip
    return {
        "conllu": [bank, bank * 2], "trees": [bank, bank * 2], "text": [b"one\n\ntwo\r\nthree\n", "\ufeffé\n".encode()],
        "wikitext": [b"\n = Title = \n\n text \n\n = = Section = = \n\n = x + y = 2 \n more\n"],
        "norms": [b"Word,Conc.M,AoA\nhouse,4.9,3.1\nidea,1.6,NA\n", b"words,CNC\n,M\nhouse,4\n"],
        "similarity": [b"# c\nword1\tword2\tPOS\tSimLex999\nold\tnew\tA\t1.58\ncup\tmug\tN\t9\n", b"a,b,1\nc,d,2\n"],
        "minimal_pairs": [b"good,bad,phenomenon\nthe cat sleeps,the cat sleep,agreement\n",
                          b'{"sentence_good": "a b", "sentence_bad": "a c", "UID": "x"}\n',
                          b'[{"sentence_good": "a \\ud83d", "sentence_bad": "a c"}]', b"a b .\na c .\n",
                          b"True\ta b\nFalse\ta c\n", b"item;sentence;plausible\n1;a b;1\n1;a c;0\n"],
        "suite": [json.dumps({
            "meta": {"name": "x"}, "predictions": [{"formula": "(1;%a%) < (*;%b%)"}],
            "items": [{"item_number": 1, "conditions": [
                {"condition_name": name, "regions": [{"region_number": 1, "content": "the"}]} for name in "ab"]}],
        }).encode()],
        "text_tables": [b'{"text": "a b", "id": 1}\n{"text": "c"}\n', b'{"data": [{"text": "\\ud83d"}, {"text": "y"}]}',
                        b'id,text\n1,"a ""b"" c"\n2,"d\ne"\n', b"\xef\xbb\xbfid;text\n1;x\n",
                        b"1\tone\n2\ttwo\n3\tx\n4\ty\n"],
        "markup": [b'<TEI><teiHeader>x</teiHeader><text><body><div><head>A</head><p>b<lb/>c</p></div><div>d</div>'
                   b"</body>"
                   b"</text></TEI>", b"<!DOCTYPE d [<!ENTITY e 'x'>]><d><doc>&e;</doc><doc>y</doc></d>",
                   b"<html><body><script>x</script><p>a<br>b</p></body></html>",
                   b'<doc id="1" url="x" title="A &amp; B">\nA\n\ntext\n</doc>\n'],
        "transcripts": [b"@UTF8\n@Begin\n*CHI:\tmore [/] (be)cause &-um .\n%mor:\tx\n*MOT:\tyes\n\tno ?\n",
                        b'<text id="a">\n<s>\nThe\tDT\tthe\n<g/>\ncat\tN\tcat\nsat\tV\tsit\n.\tP\t.\n</s>\n</text>\n'],
        "packed": [gzip.compress(b"some text\n"), archive.getvalue()],
        "parquet": [table.getvalue()], "tokenizer": [words.encode(), "\n".join(vocabulary).encode()],
        "numerals": [b"4M", b"1e9", b"1_000_000", b"--tokens=4.5k\n--seed\n2K"],
        "configuration": [yaml.safe_dump(to_dict(config)).encode(), b"seed: !!python/object/apply:os.getpid []\n"],
        "records": [json.dumps(recorded).encode()], "checkpoint": [_signed(_sharded()[0])],
    }  # fmt: skip
