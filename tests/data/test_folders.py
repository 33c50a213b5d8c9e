"""Of a folder one kind of files is read, under names that tell files apart; the rest is counted by its reason."""

import os

import pytest

from text_files import as_conllu, read
from twotower.config.schema import PrepareConfig
from twotower.data.corpora import open_corpus
from twotower.data.folders import find_files
from twotower.system.errors import InputError


def written(folder, **files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def inventory(*paths):
    corpus = open_corpus(PrepareConfig(corpus=tuple(map(str, paths))))
    return dict(corpus.files), dict(corpus.left_out)


def test_a_treebank_is_its_conllu_files(tmp_path):
    written(tmp_path, **{"README.md": "about", "LICENSE.txt": "free", "eval.log": "no", "stats.xml": "<s>1</s>",
                         "en.txt": "the text\n", "en.conllu": as_conllu(["the text of a treebank"] * 3)})  # fmt: skip
    files, left_out = inventory(tmp_path)
    assert files == {"CoNLL-U": 1} and sum(left_out.values()) == 5
    assert any("README" in why for why in left_out) and any(why.startswith("text, beside") for why in left_out)


def test_litter_is_left_out_at_any_depth_and_said(tmp_path):
    written(tmp_path, **{"a/1.txt": "one", "a/1.txt~": "x", "#2#": "x", "b/3.bak": "x", ".git/x/y/z": "x",
                         ".cache/deep/4.txt": "x", "b/.5.txt.swp": "x", "b/6.txt": ""})  # fmt: skip
    assert [document.name for document in read(tmp_path)] == ["a/1.txt"]
    assert inventory(tmp_path)[1] == {"backup": 4, "version control": 1, "hidden": 1, "empty": 1}


def test_a_hidden_folder_that_was_named_is_read_and_so_is_one_above(tmp_path, monkeypatch):
    written(tmp_path, **{".texts/a.txt": "one", ".texts/sub/b.txt": "two"})
    assert [document.name for document in read(tmp_path / ".texts")] == ["a.txt", "sub/b.txt"]
    monkeypatch.chdir(tmp_path / ".texts" / "sub")
    assert [document.text for document in read("..")] == ["one", "two"]


def test_names_tell_files_of_several_folders_apart(tmp_path):
    written(tmp_path, **{"north/00.txt": "one", "south/00.txt": "two"})
    names = ["north/00.txt", "south/00.txt"]
    assert [document.name for document in read(tmp_path)] == names
    assert [document.name for document in read(tmp_path / "north", tmp_path / "south")] == names
    assert [document.name for document in read(tmp_path / "north" / "00.txt", tmp_path / "south" / "00.txt")] == names
    assert [document.name for document in read(tmp_path / "*" / "*.txt")] == names


def test_links_in_circles_end(tmp_path):
    written(tmp_path, **{"a/1.txt": "one"})
    (tmp_path / "a" / "circle").symlink_to(tmp_path)
    (tmp_path / "dead").symlink_to(tmp_path / "nowhere")
    assert [document.name for document in read(tmp_path)] == ["a/1.txt"]


def test_a_name_that_is_not_utf8_is_written_out(tmp_path):
    try:
        with open(os.fsencode(tmp_path) + b"/caf\xe9.txt", "w") as file:
            file.write("text")
    except OSError:
        pytest.skip("this file system has UTF-8 names only")
    assert [document.name for document in read(tmp_path)] == ["caf\\xe9.txt"]
    with pytest.raises(InputError, match="is not UTF-8; rename it, or give the folder"):
        read(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.txt"))


def test_a_folder_of_other_formats_names_one(tmp_path):
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.7")
    with pytest.raises(InputError, match=r"a\.pdf is PDF"):
        read(tmp_path)
    written(tmp_path, **{"b.txt": "text"})
    assert inventory(tmp_path) == ({"text": 1}, {"of a format that is not read": 1})


def test_a_glob_may_stand_in_a_folder_whose_name_looks_like_a_mixture(tmp_path):
    written(tmp_path, **{"a+b@3/1.txt": "one", "a+b@3/2.txt": "two", "c.txt": "three"})
    assert len(read(tmp_path / "a+b@3" / "*.txt")) == 2


def test_a_run_below_its_corpus_is_no_part_of_it(tmp_path):
    written(tmp_path, **{"1.txt": "one", "runs/x/config.yaml": "x", "runs/x/provenance.json": "{}",
                         "runs/x/data/note.txt": "no"})  # fmt: skip
    assert [document.name for document in read(tmp_path)] == ["1.txt"]


def test_suffixes_in_capitals_and_wrong_ones_do_not_matter(tmp_path):
    written(tmp_path, **{"A.CONLLU": as_conllu(["one two"]), "b.conll": as_conllu(["three"]),
                         "c.txt": as_conllu(["four"])})  # fmt: skip
    assert [document.text for document in read(tmp_path)] == ["one two\n", "three\n", "four\n"]


def test_a_glob_of_all_folders_ends_where_links_lead_in_circles(tmp_path):
    written(tmp_path, **{"a/1.txt": "one", "a/b/2.txt": "two", "3.txt": "three", "a/4.md": "four"})
    for name in ("circle", "other"):
        (tmp_path / "a" / name).symlink_to(tmp_path)
    for pattern, files in (("**/*.txt", ["1", "2", "3"]), ("a/**/b/*.txt", ["2"]), ("**/a/*.t?t", ["1"])):
        place = find_files(str(tmp_path / pattern))
        assert sorted(path.stem for path in place.paths) == files, pattern
    assert len(find_files(str(tmp_path / "**")).paths) == 4
    with pytest.raises(InputError, match="no file matches"):
        find_files(str(tmp_path / "nowhere" / "**" / "*.txt"))


def test_subtitles_are_known_by_their_times(tmp_path):
    (tmp_path / "a.txt").write_text("1\n00:00:01,000 --> 00:00:02,500\nHello there.\n")
    with pytest.raises(InputError, match="is subtitles"):
        read(tmp_path / "a.txt")
