"""A text written into a file of any format comes back, and a format that is not read is named."""

import bz2
import csv
import gzip
import html
import io
import json
import lzma
import tarfile
import unicodedata
import zipfile

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from text_files import as_conllu, read
from twotower.config.schema import PrepareConfig
from twotower.data.corpora import open_corpus
from twotower.system.errors import InputError

USUAL = {"deadline": None, "max_examples": 25, "database": None,
         "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]}  # fmt: skip
INVISIBLE = [0x34F, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)]  # grapheme joiner, variation selectors
WORDS = st.text(
    st.characters(
        codec="utf-8", exclude_categories=("Cc", "Cs", "Cf", "Zs", "Zl", "Zp", "Co", "Cn"),
        exclude_characters="".join(map(chr, INVISIBLE)),
    ),
    min_size=1, max_size=8,
)  # fmt: skip
TEXTS = st.lists(st.lists(WORDS, min_size=1, max_size=12).map(" ".join), min_size=1, max_size=6)
ODD = ['He said "no", & <b>left</b>; 1 < 2 \t| {a} [b] #c.', "naïve café — 東京へ。", "'quoted' = \\n %20 &amp; done"]


def composed(texts):
    """As documents hold them: accents composed (NFC), which makes 豈 (U+F900) the ideograph 豈."""
    return [unicodedata.normalize("NFC", " ".join(text.split())) for text in texts]


def texts_of(documents):
    return [" ".join(document.text.split()) for document in documents]


def as_csv(texts, delimiter):
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter)
    writer.writerows([["id", "text"], *([number, text] for number, text in enumerate(texts))])
    return file.getvalue()


def as_parquet(texts):
    file = io.BytesIO()
    pd.DataFrame({"n": range(len(texts)), "text": texts}).to_parquet(file)
    return file.getvalue()


WRITERS = {
    "a.jsonl": lambda texts: "".join(json.dumps({"text": text}) + "\n" for text in texts),
    "a.NDJSON": lambda texts: "".join(json.dumps({"n": 1, "Text": text}, ensure_ascii=False) + "\n" for text in texts),
    "a.json": lambda texts: json.dumps([{"text": text} for text in texts]),
    "b.json": lambda texts: json.dumps({"version": 1, "data": [{"text": text} for text in texts]}, indent=1),
    "c.json": lambda texts: json.dumps(texts),
    "a.csv": lambda texts: as_csv(texts, ","),
    "b.csv": lambda texts: "\ufeff" + as_csv(texts, ";"),
    "a.tsv": lambda texts: as_csv(texts, "\t"),
    "b.TSV": lambda texts: "id\ttext\n" + "".join(f"{n}\t{text}\n" for n, text in enumerate(texts)),
    "a.parquet": as_parquet,
    "a.xml": lambda texts: "<corpus>" + "".join(f"<doc>{html.escape(text)}</doc>" for text in texts) + "</corpus>",
    "tei.xml": lambda texts: '<TEI xmlns="http://www.tei-c.org/ns/1.0"><teiHeader>no</teiHeader><text><body>'
    + "".join(f"<div><p>{html.escape(text)}</p></div>" for text in texts) + "</body></text></TEI>",
    "a.html": lambda texts: "<html><head><title>no</title></head><body><nav>no</nav>"
    + "".join(f"<article><p>{html.escape(text)}</p></article>" for text in texts) + "</body></html>",
    "a.vrt": lambda texts: "".join(
        '<text id="x">\n<s>\n' + "".join(f"{html.escape(word)}\tX\tx\n" for word in text.split()) + "</s>\n</text>\n"
        for text in texts
    ),
    "a.conllu": as_conllu, "a.CONLL": as_conllu,
}  # fmt: skip


def as_bytes(content):
    return content if isinstance(content, bytes) else content.encode()


@pytest.mark.parametrize("name", WRITERS)
@settings(**USUAL)
@given(TEXTS)
def test_text_comes_back_from_every_format(tmp_path, name, texts):
    (tmp_path / name).write_bytes(as_bytes(WRITERS[name](texts)))
    documents = texts_of(read(tmp_path / name))
    if name in ("a.vrt", "a.html", "a.xml", "tei.xml"):  # their white space is layout
        documents, texts = [text.replace(" ", "") for text in documents], [text.replace(" ", "") for text in texts]
    assert documents == composed(texts)


@pytest.mark.parametrize("name", [name for name in WRITERS if name not in ("b.TSV",)])
def test_odd_text_comes_back_from_every_format(tmp_path, name):
    (tmp_path / name).write_bytes(as_bytes(WRITERS[name](ODD)))
    documents = texts_of(read(tmp_path / name))
    assert documents == [" ".join(text.split()) for text in ODD]


PACKED = {
    ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress,
    ".zst": zstandard.ZstdCompressor().compress,
    ".GZ": lambda data: gzip.compress(data[:40]) + gzip.compress(data[40:]),
}  # fmt: skip


@pytest.mark.parametrize("suffix", PACKED)
@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "tei.xml", "a.conllu", "a.parquet"])
def test_compressed_files_are_read_as_what_they_hold(tmp_path, name, suffix):
    (tmp_path / (name + suffix)).write_bytes(PACKED[suffix](as_bytes(WRITERS[name](ODD))))
    assert texts_of(read(tmp_path / (name + suffix))) == texts_of(read_plain(tmp_path, name))


def read_plain(folder, name):
    (folder / f"plain-{name}").write_bytes(as_bytes(WRITERS[name](ODD)))
    return read(folder / f"plain-{name}")


@pytest.mark.parametrize("mode", ["zip", "w", "w:gz", "w:xz"])
def test_archives_are_folders(tmp_path, mode):
    path = tmp_path / ("texts.zip" if mode == "zip" else "texts.tar")
    files = {"texts/a/one.txt": "one text", "texts/b/two.txt": "two texts", "texts/.hidden": "no",
             "texts/one.txt~": "no",
             "__MACOSX/texts/a/._one.txt": "no", "texts/README": "no"}  # fmt: skip
    if mode == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, text in files.items():
                archive.writestr(name, text)
    else:
        with tarfile.open(path, mode) as archive:
            for name, text in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(text)
                archive.addfile(member, io.BytesIO(text.encode()))
    documents = read(path)
    assert [document.text for document in documents] == ["one text", "two texts"]
    assert documents[0].name == f"{path.name}/texts/a/one.txt"
    assert sum(open_corpus(PrepareConfig(corpus=(str(path),))).left_out.values()) == 4


def test_a_data_set_that_was_saved_to_disk_is_read(tmp_path):
    from datasets import Dataset, DatasetDict

    rows = Dataset.from_dict({"text": ["one", "two"], "title": ["a", "b"]})
    rows.save_to_disk(tmp_path / "one")
    DatasetDict({"test": rows.select([0]), "train": rows}).save_to_disk(tmp_path / "splits")
    assert [document.text for document in read(tmp_path / "one")] == ["one", "two"]
    assert [document.name for document in read(f"{tmp_path / 'splits'}#text,title")] == ["a", "b"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.pdf", b"%PDF-1.7 \n", "is PDF, which is not read; convert it with `pdftotext"),
        ("a.txt", b"{\\rtf1 text}", "is RTF"),
        ("a.doc", b"\xd0\xcf\x11\xe0" + b"\0" * 50, "Microsoft Office before 2007"),
        ("a.tex", b"\\section{A}", "is LaTeX"),
        ("a.jsonl", b'{"body": "x", "id": 1}\n' * 3, "no column 'text'; its columns: body, id .add #COLUMN"),
        ("a.csv", b"body,id\nx,1\n", "no column 'text'; its columns: body, id"),
        ("a.csv", b'text,id\n"x,1\n', "mend the quotes"),
        ("a.csv", b"text,id\nx,1,2\n", "row 0: 3 cells, but 2 headings"),
        ("a.jsonl", b'{"text": "x"}\n{"text": \n', "line 2: not JSON"),
        ("a.xml", b"<a><b></a>", "not well-formed XML"),
        ("a.xml", b"<mediawiki><page/></mediawiki>", "a dump of MediaWiki"),
        ("a.xml", b'<!DOCTYPE a SYSTEM "a.dtd"><a>&thing;</a>', "thing"),
        ("a.txt.gz", gzip.compress(bytes(range(1, 128)) * 9, mtime=0)[:80], "compressed file is damaged"),
        ("a.txt.zst", zstandard.compress(b"word " * 99)[:-3], "compressed file is damaged"),
        ("a.xml", '<?xml version="1.0" encoding="utf-8"?><doc>é</doc>'.encode("latin-1"), "not well-formed XML"),
        ("a.html", "<html><body>é</body></html>".encode("latin-1"), "byte 12 is not utf-8"),
        ("a.txt", b"WEBVTT\n\n00:01.000 --> 00:02.000\nHello\n", "subtitles"),
        ("a.txt", b"-DOCSTART- -X- O O\n\nEU NNP I-NP I-ORG\n", "CoNLL-2003"),
        ("a.txt", b"1\tThe\tthe\tthe\tDT\tDT\n2\tdog\tdog\tdog\tNN\tNN\n", "line 1 has 6 columns; CoNLL-U has 10"),
        ("a.csv", b"text,text\none,two\n", "2 columns are called 'text'"),
        ("a.csv", b"Text,TEXT\none,two\n", "2 columns are called 'text'"),
        ("a.jsonl", b'{"text": "one", "text": "two"}\n', "line 1: not JSON .the key 'text' comes twice"),
        ("a.jsonl", b'{"text": null}\n', "row 0: 'text' holds nothing"),
    ],
)
def test_what_is_not_read_is_named_in_one_line(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        read(tmp_path / name)
    assert "\n" not in str(caught.value) and name in str(caught.value)


@pytest.mark.parametrize("member", ["word/document.xml", "xl/workbook.xml", "ppt/slides/slide1.xml"])
def test_office_files_are_no_archives_of_texts(tmp_path, member):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(member, "<x/>")
    with pytest.raises(InputError, match="which is not read; convert it"):
        read(tmp_path / "a.zip")


def test_entities_of_a_file_are_text_and_nothing_outside_is_opened(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    kind = f'<!DOCTYPE doc [<!ENTITY e "été"><!ENTITY s SYSTEM "file://{secret}">]>'
    (tmp_path / "a.xml").write_text(f"{kind}<doc>l'&e; &amp; after</doc>")
    assert texts_of(read(tmp_path / "a.xml")) == ["l'été & after"]
    (tmp_path / "b.xml").write_text(f"{kind}<doc>&s;</doc>")
    with pytest.raises(InputError):
        read(tmp_path / "b.xml")
    bomb = "".join(f'<!ENTITY x{n} "{f"&x{n - 1};" * 10}">' for n in range(1, 12))
    (tmp_path / "c.xml").write_text(f'<!DOCTYPE doc [<!ENTITY x0 "ha">{bomb}]><doc>&x11;</doc>')
    with pytest.raises(InputError):
        read(tmp_path / "c.xml")


CHAT = """@UTF8
@Begin
@Participants:\tCHI Eve Child, MOT Mother
*CHI:\tmore cookie [/] cookie . \x15100_200\x15
%mor:\tqn|more n|cookie .
*MOT:\tyou &-um want (be)cause you're hungry@f ,
\tdo you xxx ?
*CHI:\t<no no> [=! cries] +...
@End
"""


def test_a_transcript_is_what_was_said_by_all_or_by_some(tmp_path):
    (tmp_path / "a.cha").write_text(CHAT)
    assert read(tmp_path / "a.cha")[0].text == (
        "more cookie cookie .\nyou um want because you're hungry , do you ?\nno no .\n"
    )
    assert read(f"{tmp_path / 'a.cha'}#mot")[0].text == "you um want because you're hungry , do you ?\n"
    with pytest.raises(InputError, match="none of the speakers FAT; here are CHI, MOT"):
        read(f"{tmp_path / 'a.cha'}#FAT")


def test_columns_name_and_label_documents_and_reach_into_objects(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"meta": {"title": "A", "genre": "x"}, "body": "one"}\n')
    documents = read(f"{tmp_path / 'a.jsonl'}#body,meta.title,meta.genre")
    assert [(document.name, document.text) for document in documents] == [("x/A", "one")]
    with pytest.raises(InputError, match="#a,b,c,d is not of the form"):
        read(f"{tmp_path / 'a.jsonl'}#a,b,c,d")


def test_cells_may_hold_line_ends_and_be_longer_than_pythons_limit(tmp_path):
    long = "word " * 50_000
    (tmp_path / "a.csv").write_text(as_csv(["two\nlines", long], ","))
    assert [document.text for document in read(tmp_path / "a.csv")] == ["two\nlines", long]


def test_numbered_lines_are_texts_without_their_numbers(tmp_path):
    (tmp_path / "a-sentences.txt").write_text("".join(f"{n}\tSentence {n}.\n" for n in range(1, 9)))
    documents = read(tmp_path / "a-sentences.txt")
    assert documents[0].text == "Sentence 1." and len(documents) == 8


@pytest.mark.parametrize("mark", ["utf-16", "utf-16-le", "utf-8-sig", "utf-32"])
def test_files_that_name_their_encoding_are_read_in_it(tmp_path, mark):
    text = "\ufeffnaïve" if mark == "utf-16-le" else "naïve"
    (tmp_path / "a.txt").write_bytes(text.encode(mark))
    assert read(tmp_path / "a.txt")[0].text == "naïve"


def test_lines_and_blocks_cut_markup_and_treebanks_too(tmp_path):
    (tmp_path / "a.html").write_text("<html><body><p>one<br>more</p><p>two</p></body></html>")
    assert texts_of(read(tmp_path / "a.html", documents="block")) == ["one more", "two"]
    (tmp_path / "a.conllu").write_text(as_conllu(["one two", "three"]))
    sentences = read(tmp_path / "a.conllu", documents="line")
    assert [sentence.text for sentence in sentences] == ["one two\n", "three\n"]
    assert [sentence.text[word.start : word.end] for sentence in sentences for word in sentence.words] == [
        "one", "two", "three"
    ]  # fmt: skip


def test_columns_of_parquet_that_are_called_alike_are_refused(tmp_path):
    pq.write_table(
        pa.Table.from_arrays([pa.array(["one"]), pa.array(["two"])], ["text", "text"]), tmp_path / "a.parquet"
    )
    with pytest.raises(InputError, match="2 columns are called 'text'"):
        read(tmp_path / "a.parquet")


def test_quotes_that_are_speech_swallow_no_rows_of_a_table_with_tabs(tmp_path):
    (tmp_path / "a.tsv").write_text('id\ttext\n1\t"I go,\n2\tand come back"\n')
    assert [document.text for document in read(tmp_path / "a.tsv")] == ['"I go,', 'and come back"']
    (tmp_path / "b.tsv").write_text('id\ttext\n1\t"two\nlines"\n')
    assert [document.text for document in read(tmp_path / "b.tsv")] == ["two\nlines"]


def test_commas_in_the_first_line_divide_no_numbered_lines_nor_quoted_headings(tmp_path):
    (tmp_path / "a.txt").write_text("".join(f"{n}\tWell, well, well {n}.\n" for n in range(1, 9)))
    assert read(tmp_path / "a.txt")[0].text == "Well, well, well 1."
    (tmp_path / "a.csv").write_text('"a, b, c";text\n1;one, two\n')
    assert read(tmp_path / "a.csv")[0].text == "one, two"
    (tmp_path / "a.tsv").write_text("note, if any, on it\ttext\n-\tone, two\n")
    assert read(tmp_path / "a.tsv")[0].text == "one, two"


def test_a_list_under_a_key_is_read_from_one_long_line(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({"data": [{"text": f"text {n}"} for n in range(2000)]}))
    assert len(read(tmp_path / "a.json")) == 2000


def test_a_page_that_says_latin_1_is_read_as_browsers_do(tmp_path):
    page = '<html><head><meta charset="iso-8859-1"></head><body>a \u2013 \u201cb\u201d é</body></html>'
    (tmp_path / "a.html").write_bytes(page.encode("cp1252"))
    assert read(tmp_path / "a.html")[0].text == "a \u2013 \u201cb\u201d é"


def test_texts_that_only_look_like_other_formats_are_read(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("keyword/a.txt", "one word/phrase")
    assert read(tmp_path / "a.zip")[0].text == "one word/phrase"
    (tmp_path / "a.txt").write_bytes("€ 5".encode("cp1252"))
    assert read(tmp_path / "a.txt", encoding="cp1252")[0].text == "€ 5"
    (tmp_path / "b.txt").write_text("ID3 makes trees.")
    assert read(tmp_path / "b.txt")[0].text == "ID3 makes trees."


def test_an_archive_compressed_in_an_unknown_way_is_one_line(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.txt", "text")
    packed = bytearray((tmp_path / "a.zip").read_bytes())
    packed[8] = packed[packed.index(b"PK\1\2") + 10] = 9  # Deflate64, in both headers
    (tmp_path / "a.zip").write_bytes(packed)
    with pytest.raises(InputError, match=r"a.zip/a.txt.*not supported"):
        read(tmp_path / "a.zip")


def test_zstd_of_several_frames_is_read_whole_and_archives_in_it_too(tmp_path):
    (tmp_path / "a.txt.zst").write_bytes(zstandard.compress(b"one ") + zstandard.compress(b"two"))
    assert read(tmp_path / "a.txt.zst")[0].text == "one two"
    (tmp_path / "b.parquet.zst").write_bytes(zstandard.compress(as_parquet(["one", "two"])))
    assert texts_of(read(tmp_path / "b.parquet.zst")) == ["one", "two"]


@pytest.mark.parametrize("encoding", ["hex", "rot13", "idna", "utf\0" + "8"])
def test_an_encoding_that_is_none_of_text_is_one_line(tmp_path, encoding):
    (tmp_path / "a.txt").write_text("text")
    with pytest.raises(InputError, match=r"^encoding: "):
        read(tmp_path / "a.txt", encoding=encoding)


def test_what_cannot_be_opened_is_said_once(tmp_path):
    (tmp_path / "a.txt").touch()
    with pytest.raises(InputError, match=r"^corpus: .*a.txt is an empty file; give a file with text$"):
        read(tmp_path / "a.txt")
