"""Long documents are cut into sections, and long files are cut as they are read."""

import lzma
import random
from dataclasses import replace

import pytest

from text_files import read
from twotower.config.schema import PrepareConfig
from twotower.data.corpora import open_corpus
from twotower.data.documents import Document
from twotower.data.sections import cut_document
from twotower.data.textfiles import decode


def text_of(seed):
    """Words, and every kind of line end, in lines of very different lengths."""
    draw = random.Random(seed)
    ends = ["\n", "\r\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\n\n", ""]
    lines = [" ".join(draw.choices(["a", "été", "of", "incomprehensible"], k=draw.choice([1, 2, 3, 30, 400])))
             for _ in range(draw.choice([1, 5, 60]))]  # fmt: skip
    return "".join(line + draw.choice(ends) for line in lines)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("words", [1, 20, 70, 1000])
def test_a_file_that_is_read_line_by_line_is_cut_as_its_whole_text(tmp_path, words, encoding):
    for seed in range(25):
        path = tmp_path / "long.txt"
        path.write_bytes((text_of(seed) or "a").encode(encoding))
        config = PrepareConfig(corpus=(str(path),), section_words=words)
        streamed = list(open_corpus(config).read())
        whole = Document("long.txt", decode(path, "utf-8"))
        cut = list(cut_document(whole, words))
        assert [(document.name, document.text) for document in streamed] == [
            (document.name, document.text) for document in cut
        ]
        assert "".join(document.text for document in cut) == whole.text
        assert {document.origin for document in streamed} == {0}


def test_sections_of_files_and_of_rows_have_the_numbers_of_their_documents(tmp_path):
    for name in ("a.txt", "c.txt"):
        (tmp_path / name).write_text("".join(f"line {k} of the text\n" for k in range(100)))
    (tmp_path / "b.txt").write_text("short")
    documents = read(tmp_path, section_words=70)
    origins = {document.name.partition("#")[0]: document.origin for document in documents}
    assert origins == {"a.txt": 0, "b.txt": 1, "c.txt": 2} and len(documents) > 10
    first = list(open_corpus(PrepareConfig(corpus=(f"stream:1:{tmp_path}",), section_words=70)).documents())
    assert [one.name for one in first] == [one.name for one in documents if one.origin == 0]


def test_a_long_compressed_file_is_not_held_in_memory(tmp_path):
    import tracemalloc

    line = "some words that are repeated over and over in this very long file\n"
    with lzma.open(tmp_path / "long.txt.xz", "wt", preset=0) as file:
        for _ in range(200):
            file.write(line * 500)
    tracemalloc.start()
    characters = sum(len(document.text) for document in read_lazily(tmp_path, 2000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert characters == 200 * 500 * len(line) and peak < characters / 4


def read_lazily(folder, words):
    config = replace(PrepareConfig(), corpus=(str(folder),), section_words=words)
    return open_corpus(config).documents()
