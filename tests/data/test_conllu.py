"""Treebanks: words keep their gold tags, relations and features, and what is no CoNLL-U is refused with its line."""

import pandas as pd
import pytest

import twotower
from twotower.data.conllu import read_conllu
from twotower.data.heldout import PreparedText
from twotower.system.errors import InputError

SENTENCE = """# newdoc id = letters-{number}
# text = He doesn't sing songs.
1\tHe\the\tPRON\tPRP\tCase=Nom|Number=Sing\t4\tnsubj\t_\t_
2-3\tdoesn't\t_\t_\t_\t_\t_\t_\t_\t_
2\tdoes\tdo\tAUX\tVBZ\tTense=Pres\t4\taux\t_\t_
3\tn't\tnot\tPART\tRB\t_\t4\tadvmod\t_\t_
4\tsing\tsing\tVERB\tVB\tVerbForm=Inf\t0\troot\t_\t_
4.1\tnothing\t_\tX\t_\t_\t_\t_\t4:dep\t_
5\tsongs\tsong\tNOUN\tNNS\tNumber=Plur\t4\tobj\t_\tSpaceAfter=No
6\t.\t.\tPUNCT\t.\t_\t4\tpunct\t_\t_

"""


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_words_keep_relations_and_features_and_a_multiword_token_those_of_its_first_part(tmp_path):
    (document,) = read_conllu(write(tmp_path / "a.conllu", SENTENCE.format(number=1)), "utf-8")
    words = [(document.text[word.start : word.end], word.upos, word.deprel, word.feats) for word in document.words]
    assert words[:3] == [
        ("He", "PRON", "nsubj", "Case=Nom|Number=Sing"), ("doesn't", "AUX", "aux", "Tense=Pres"),
        ("sing", "VERB", "root", "VerbForm=Inf"),
    ]  # fmt: skip
    assert document.text == "He doesn't sing songs.\n" and words[-1] == (".", "PUNCT", "punct", "")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("one\tHe\the\tPRON\t_\t_\t0\troot\t_\t_", "line 3 begins with 'one'"),
        ("3-2\tHe\the\tPRON\t_\t_\t0\troot\t_\t_", "line 3 spans the words '3-2'"),
        ("1\tHe", "line 3 has 2 columns"),
        ("1\t \the\tPRON\t_\t_\t0\troot\t_\t_", "line 3: the word has no FORM"),
        ("# global.columns = ID FORM UPOS LEMMA\n1\tHe\tPRON\the", "line 3: the columns are ID FORM UPOS LEMMA"),
        (
            "1-2\tHes\t_\t_\t_\t_\t_\t_\t_\t_\n1\tHe\t_\tX\t_\t_\t0\troot\t_\t_\n2-3\tsit\t_\t_\t_\t_\t_\t_\t_\t_",
            "line 5: the words 2-3 are in two multiword tokens",
        ),
    ],
)
def test_what_is_no_treebank_is_refused_with_its_line(line, message, tmp_path):
    path = write(tmp_path / "a.conllu", f"# newdoc\n# text = He\n{line}\n\n")
    with pytest.raises(InputError, match=message):
        list(read_conllu(path, "utf-8"))


@pytest.mark.parametrize("named", ["# newdoc id = ", "#newdoc id=", "# newdoc_id = "])
def test_documents_begin_at_newdoc_however_it_is_spelt(named, tmp_path):
    text = "".join(SENTENCE.format(number=number) for number in (1, 2)).replace("# newdoc id = ", named)
    documents = read_conllu(write(tmp_path / "a.conllu", text), "utf-8")
    assert [document.name for document in documents] == ["letters-1", "letters-2"]


def unlike(sentence, documents=60):
    """Documents of one sentence, each with a number of its own: copies would be dropped."""
    number_alone = "1\t{number}\t{number}\tNUM\tCD\t_\t0\troot\t_\t_\n\n"
    return "".join((sentence + number_alone).format(number=number) for number in range(documents))


def prepared(tmp_path, small, text):
    from dataclasses import replace

    corpus = write(tmp_path / "bank.conllu", text)
    config = replace(small, prepare=replace(small.prepare, corpus=(str(corpus),)))
    return PreparedText(twotower.run(config, tmp_path / "run", stages=["prepare"]).path)


def test_annotations_stand_beside_the_held_out_pieces(tmp_path, small):
    text = prepared(tmp_path, small, unlike(SENTENCE))
    table = pd.concat(
        [pd.read_parquet(text.run / "data" / "heldout.parquet")[["word", "upos"]], text.annotations], axis=1
    )
    whole = table.drop_duplicates("word").set_index("word").astype(str)
    assert whole.loc["songs"].tolist() == ["NOUN", "obj", "Number=Plur", "VERB", "-1"]
    assert whole.loc["."].tolist()[:3] == ["PUNCT", "punct", "_"]


def test_a_treebank_without_features_has_none_and_other_text_no_annotations(tmp_path, small, finished):
    bare = "\n".join(
        "\t".join([*columns[:5], "_", *columns[6:]]) if len(columns := line.split("\t")) == 10 else line
        for line in SENTENCE.split("\n")
    )
    text = prepared(tmp_path, small, unlike(bare))
    assert list(text.annotations) == ["deprel", "head", "distance"]
    assert PreparedText(finished).annotations is None
