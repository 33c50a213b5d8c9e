"""Files of word similarity, as they are published, and what is wrong with one in one line."""

import pytest

from twotower.data.word_pairs import read_word_pairs
from twotower.errors import InputError


def written(tmp_path, text, name="pairs.txt"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_tabs_commas_and_spaces_headings_and_repeats(tmp_path):
    one = read_word_pairs(
        written(tmp_path, "Word 1,Word 2,Human (mean)\nLove,sex,6.77\n\nsex,love,7.77\ntiger,cat,7.35\n")
    )
    assert one.words == (("love", "sex"), ("tiger", "cat"))
    assert one.ratings == pytest.approx((7.27, 7.35))
    assert read_word_pairs(written(tmp_path, "# MEN\nsun sunlight 50.0\nriver  water 49\r\n")).ratings == (50, 49)
    simlex = "word1\tword2\tPOS\tSimLex999\tconc\nold\tnew\tA\t1.58\t2.7\nsmart\tintelligent\tA\t9.2\t1.7\n"
    assert read_word_pairs(written(tmp_path, simlex)).ratings == (1.58, 9.2)
    assert one.name == "pairs"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\tb\t1\nc\td\n", r"pairs.txt, line 2: 'c\\td' is not `word word rating`"),
        ("a b 1\nc d high\n", "line 2: 'c d high' is not"),
        ("a b 1\nc d nan\n", "line 2"),
        ("a b 1\nb a 2\n", "holds one pair of words"),
        ("", "holds no pair of words"),
    ],
)
def test_a_file_that_will_not_do_is_one_line(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        read_word_pairs(written(tmp_path, text))


def test_a_missing_file_says_what_to_do(tmp_path):
    with pytest.raises(InputError, match="is not a file; give one of lines `word word rating`"):
        read_word_pairs(str(tmp_path / "absent.txt"))


def test_the_published_sets(shared_data):
    sets = {path.stem: read_word_pairs(str(path)) for path in (shared_data / "word-similarity").iterdir()}
    assert len(sets["EN-SIMLEX-999"].words) == 998  # one of the 999 comes in both orders
    assert len(sets["EN-MEN-TR-3k"].words) == 3000
    assert ("jerusalem", "israel") in sets["EN-WS-353-REL"].words
    assert all(min(one.ratings) >= 0 for one in sets.values())
