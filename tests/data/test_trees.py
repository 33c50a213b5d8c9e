"""Trees are read whole; what is not a tree is refused with its line."""

from pathlib import Path

import pytest

from twotower.data.trees import read_trees
from twotower.system.errors import InputError

SENTENCE = """# newdoc id = letters
# sent_id = one
# text = They don't sleep.
1	They	they	PRON	_	Number=Plur|Person=3	4	nsubj	_	_
2-3	don't	_	_	_	_	_	_	_	_
2	do	do	AUX	_	_	4	aux	_	_
3	n't	not	PART	_	_	4	advmod	_	_
4	sleep	sleep	VERB	_	_	0	root	_	SpaceAfter=No
4.1	_	_	_	_	_	_	_	_	_
5	.	.	PUNCT	_	_	4	punct	_	_

"""


def written(folder: Path, text: str) -> Path:
    path = folder / "some.conllu"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_sentence_is_read_with_its_multiword_token_as_it_is_written(tmp_path):
    (tree,) = read_trees(written(tmp_path, SENTENCE))
    assert (tree.name, tree.document, tree.text) == ("one", "letters", "They don't sleep.")
    assert [word.form for word in tree.words] == ["They", "do", "n't", "sleep", "."]
    assert [word.token for word in tree.words] == [0, 1, 1, 2, 3]
    assert tree.words[0].features == {"Number": "Plur", "Person": "3"}
    assert tree.depths == [1, 1, 1, 0, 1]
    assert tree.distances[0] == [0, 2, 2, 1, 2]


@pytest.mark.parametrize(
    ("old", "new", "line", "fault"),
    [
        ("0	root", "5	root", 4, "0 roots"),
        ("	4	nsubj", "	9	nsubj", 4, "no word 9"),
        ("4	punct", "5	punct", 10, "circle"),
        ("4	nsubj", "x	nsubj", 4, "head"),
        ("	_	_	4	advmod", "	4	advmod", 7, "columns"),
        ("3	n't", "7	n't", 7, "expected 3"),
        ("2-3	don't", "3-2	don't", 5, "spans"),
    ],
)
def test_what_is_no_tree_is_refused_with_its_line(tmp_path, old, new, line, fault):
    assert SENTENCE.count(old) >= 1
    with pytest.raises(InputError, match=fault) as caught:
        read_trees(written(tmp_path, SENTENCE.replace(old, new)))
    assert f"line {line}" in str(caught.value)


def test_places_without_sentences_are_named(tmp_path):
    for path in (tmp_path, tmp_path / "missing.conllu", written(tmp_path / ".", "# a comment\n")):
        with pytest.raises(InputError, match=str(tmp_path)):
            read_trees(path)
