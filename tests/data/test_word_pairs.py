"""Files of word similarity, as they are published, and what is wrong with one in one line."""

import pytest

from twotower.data.word_pairs import read_word_pairs
from twotower.system.errors import InputError


def written(tmp_path, text, name="pairs.txt"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_tabs_commas_and_spaces_headings_and_repeats(tmp_path):
    pairs = read_word_pairs(
        written(tmp_path, "Word 1,Word 2,Human (mean)\nLove,sex,6.77\n\nsex,love,7.77\ntiger,cat,7.35\n")
    )
    assert pairs.words == (("love", "sex"), ("tiger", "cat"))
    assert pairs.ratings == pytest.approx((7.27, 7.35))
    assert read_word_pairs(written(tmp_path, "# MEN\nsun sunlight 50.0\nriver  water 49\r\n")).ratings == (50, 49)
    simlex = "word1\tword2\tPOS\tSimLex999\tconc\nold\tnew\tA\t1.58\t2.7\nsmart\tintelligent\tA\t9.2\t1.7\n"
    assert read_word_pairs(written(tmp_path, simlex)).ratings == (1.58, 9.2)
    assert pairs.name == "pairs" and pairs.column == "Human (mean)"


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("word1,word2,n,mean\nhouse,home,50,8.1\nhouse,law,50,1.2\n", "mean"),
        ("mean;n;word1;word2\n8,1;50;house;home\n1,2;50;house;law\n", "mean"),
        ("Word 1,Word 2,Human (mean),1,2\nhouse,home,8.1,8,9\nhouse,law,1.2,1,2\n", "Human (mean)"),
        (
            "word1\tword2\tPOS\tSimLex999\tconc(w1)\tAssoc(USF)\tSD(SimLex)\nhouse\thome\tN\t8.1\t1\t2\t3\n"
            "house\tlaw\tN\t1.2\t1\t2\t3\n",
            "SimLex999",
        ),
        ("house\thome\tN\t8.1\tSYNONYMS\nhouse\tlaw\tN\t1.2\tNONE\n", "4"),  # as SimVerb-3500 comes
        ("word1,word2,Bewertung\nhouse,home,8.1\nhouse,law,1.2\n", "Bewertung"),
        ("id,word1,word2,rater_count,average_score\n7,house,home,9,8.1\n8,house,law,9,1.2\n", "average_score"),
    ],
)
def test_the_ratings_are_found_by_their_heading(tmp_path, text, column):
    pairs = read_word_pairs(written(tmp_path, text))
    assert (pairs.column, pairs.words, pairs.ratings) == (column, (("house", "home"), ("house", "law")), (8.1, 1.2))
    [line] = pairs.tell()
    assert column in line and "1.2 to 8.1" in line


def test_a_column_that_cannot_be_told_is_asked_for(tmp_path):
    place = written(tmp_path, "word1,word2,similarity,relatedness\na,b,1,2\nc,d,3,5\n")
    with pytest.raises(InputError, match=r"several columns may be the rating; name it: .*#COLUMN"):
        read_word_pairs(place)
    assert read_word_pairs(f"{place}#Relatedness").ratings == (2, 5)
    plain = written(tmp_path, "a b 1 7\nc d 2 8\n")
    with pytest.raises(InputError, match="1 to 4, without headings"):
        read_word_pairs(plain)
    assert read_word_pairs(f"{plain}#4").ratings == (7, 8)
    with pytest.raises(InputError, match="has no column 'x'"):
        read_word_pairs(f"{place}#x")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\tb\t1\nc\td\n", "pairs.txt: line 2 has 2 columns, the first line 3"),
        ("a b 1\nc d high\n", "line 2: 'high' in column '3' is not a finite number"),
        ("a b 1\nc d nan\n", "line 2"),
        ("a b\nc d\n", "line 1: 'a b' is not `word word rating`"),
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
    assert all(min(pairs.ratings) >= 0 for pairs in sets.values())


def test_accents_are_composed(tmp_path):
    assert read_word_pairs(written(tmp_path, "cafe\u0301 b 1\nc d 2\n")).words[0] == ("café", "b")
