"""A small treebank in the words of the State of the Union, for tests that need trees without a download."""

from pathlib import Path

SENTENCES = [
    # words as FORM/LEMMA/UPOS/FEATS/HEAD/DEPREL
    "The/the/DET/PronType=Art/2/det nation/nation/NOUN/Number=Sing/3/nsubj has/have/VERB/"
    "Mood=Ind|Number=Sing|Person=3|Tense=Pres|VerbForm=Fin/0/root many/many/ADJ/_/5/amod states/state/NOUN/Number=Plur/"
    "3/obj ././PUNCT/_/3/punct",
    "The/the/DET/PronType=Art/2/det states/state/NOUN/Number=Plur/3/nsubj have/have/VERB/"
    "Mood=Ind|Number=Plur|Person=3|Tense=Pres|VerbForm=Fin/0/root a/a/DET/PronType=Art/5/det nation/nation/NOUN/"
    "Number=Sing/3/obj ././PUNCT/_/3/punct",
    "This/this/DET/Number=Sing/2/det congress/congress/NOUN/Number=Sing/4/nsubj will/will/AUX/VerbForm=Fin/4/aux "
    "make/make/VERB/VerbForm=Inf/0/root peace/peace/NOUN/Number=Sing/4/obj in/in/ADP/_/8/case the/the/DET/PronType=Art/"
    "8/det country/country/NOUN/Number=Sing/4/obl ././PUNCT/_/4/punct",
    "These/this/DET/Number=Plur/2/det states/state/NOUN/Number=Plur/3/nsubj made/make/VERB/"
    "Mood=Ind|Number=Sing|Person=3|Tense=Past|VerbForm=Fin/0/root war/war/NOUN/Number=Sing/3/obj ././PUNCT/_/3/punct",
    "The/the/DET/PronType=Art/2/det people/people/NOUN/Number=Plur/3/nsubj see/see/VERB/"
    "Mood=Ind|Number=Plur|Person=3|Tense=Pres|VerbForm=Fin/0/root themselves/themselves/PRON/"
    "Number=Plur|Person=3|Reflex=Yes/3/obj ././PUNCT/_/3/punct",
    "The/the/DET/PronType=Art/2/det president/president/NOUN/Number=Sing/3/nsubj made/make/VERB/"
    "Mood=Ind|Number=Sing|Person=3|Tense=Past|VerbForm=Fin/0/root war/war/NOUN/Number=Sing/3/obj for/for/ADP/_/6/case "
    "himself/himself/PRON/Number=Sing|Person=3|Reflex=Yes/3/obl ././PUNCT/_/3/punct",
    "The/the/DET/PronType=Art/2/det president/president/NOUN/Number=Sing/3/nsubj hopes/hope/VERB/"
    "Mood=Ind|Number=Sing|Person=3|Tense=Pres|VerbForm=Fin/0/root for/for/ADP/_/5/case peace/peace/NOUN/Number=Sing/3/"
    "obl ././PUNCT/_/3/punct",
    "The/the/DET/PronType=Art/2/det land/land/NOUN/Number=Sing/4/nsubj is/be/AUX/"
    "Mood=Ind|Number=Sing|Person=3|Tense=Pres|VerbForm=Fin/4/cop great/great/ADJ/_/0/root ././PUNCT/_/4/punct",
]


def write_treebank(path: Path, times: int = 1) -> Path:
    """The sentences as CoNLL-U, `times` over, a document for every four."""
    lines: list[str] = []
    for number in range(times * len(SENTENCES)):
        if number % 4 == 0:
            lines.append(f"# newdoc id = document {number // 4}")
        lines.append(f"# sent_id = {number}")
        for place, word in enumerate(SENTENCES[number % len(SENTENCES)].split(" "), start=1):
            form, lemma, upos, feats, head, deprel = (
                word.split("/") if word[0] != "." else (".", ".", *word[4:].split("/"))
            )
            lines.append("\t".join([str(place), form, lemma, upos, "_", feats, head, deprel, "_", "_"]))
        lines.append("")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
