"""Texts as files that people have, and the documents that are read from them."""

from twotower.config.schema import PrepareConfig
from twotower.data.corpora import open_corpus


def read(*paths, **settings):
    """The documents of a corpus."""
    return list(open_corpus(PrepareConfig(corpus=tuple(map(str, paths)), **settings)).documents())


def as_conllu(texts):
    """A treebank of a document, which is a sentence, for each text."""
    words = [
        "\n".join(f"{k}\t{word}\t_\tX\t_\t_\t0\troot\t_\t_" for k, word in enumerate(text.split(), start=1))
        for text in texts
    ]
    return "".join(f"# newdoc id = {number}\n{one}\n\n" for number, one in enumerate(words))
