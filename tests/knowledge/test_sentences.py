"""Sentences are scored as minicons scores them, whatever the batch and padding; words are counted whole."""

from collections import Counter

import numpy as np
import pytest
from minicons.scorer import IncrementalLMScorer, MaskedLMScorer

from twotower.knowledge import occurrences
from twotower.knowledge import sentences as sentence_module
from twotower.knowledge.sentences import encode, score_sentences
from twotower.knowledge.subject import Subject
from twotower.knowledge.words.word_counts import count_words, words_of
from twotower.runs.finished import RunFolder

TEXTS = [
    "we must keep the peace with all nations .",
    "the state of the union",
    "the unconstitutionality of it , they say",
]
HEADS = ("joint", "readout_1", "readout_2")


def subject_of(run) -> Subject:
    return Subject(RunFolder(run).config, run, run)


def test_a_causal_score_is_minicons(finished):
    subject = subject_of(finished)
    encoded = encode(subject.tokenizer, TEXTS[:2])
    scores = score_sentences(subject.model, encoded, subject.vocabulary, HEADS)
    for head in HEADS:
        scorer = IncrementalLMScorer(str(finished / "model"), "cpu", head=head)
        wanted = [sum(score for _, score in tokens) for tokens in scorer.token_score(TEXTS[:2])]
        assert encoded.total(scores[head]) == pytest.approx(wanted, abs=1e-4)


def test_a_masked_score_hides_the_rest_of_a_word_as_minicons_does(family_runs):
    run = family_runs("bert")
    subject = subject_of(run)
    encoded = encode(subject.tokenizer, TEXTS)
    assert (np.bincount(encoded.words[encoded.of == 2]) > 1).any(), "a word of several pieces"
    scores = score_sentences(subject.model, encoded, subject.vocabulary, ["readout_1"])
    scorer = MaskedLMScorer(str(run / "model"), "cpu", head="readout_1")
    tokenized = scorer.tokenizer(TEXTS, padding=True)
    wanted = scorer.token_score(tokenized, PLL_metric="within_word_l2r")
    assert encoded.total(scores["readout_1"]) == pytest.approx(
        [sum(score for _, score in tokens) for tokens in wanted], abs=1e-4
    )


@pytest.mark.parametrize("family", ["gpt", "bert", "elmo"])
def test_batch_and_padding_change_nothing(family_runs, family, monkeypatch):
    subject = subject_of(family_runs(family))
    encoded = encode(subject.tokenizer, TEXTS)
    together = score_sentences(subject.model, encoded, subject.vocabulary, HEADS)
    monkeypatch.setattr(sentence_module, "BATCH_TOKENS", 1)
    alone = score_sentences(subject.model, encoded, subject.vocabulary, HEADS)
    for head in HEADS:
        np.testing.assert_allclose(together[head], alone[head], atol=1e-5)


def test_words_are_counted_whole_across_parts_of_the_stream(finished, monkeypatch):
    subject = subject_of(finished)
    pieces = subject.text.pieces
    spelled: list[tuple[int, ...]] = []
    for piece in subject.text.train.tolist():
        if pieces[piece].startswith("##") and len(pieces[piece]) > 2 and spelled:
            spelled[-1] = (*spelled[-1], piece)
        else:
            spelled.append((piece,))
    wanted = Counter(spelled)
    asked = [*list(wanted)[:300], max(wanted, key=len), (1, 2, 3)]
    for chunk in (1 << 22, 777):
        monkeypatch.setattr(occurrences, "CHUNK", chunk)
        assert count_words(subject.text, asked) == {word: wanted[word] for word in asked}
    [words] = words_of(subject.tokenizer, ["the unconstitutionality"])
    assert len(words) == 2 and len(words[1]) > 1
