"""Which text goes where, and that no token is scored twice or left out."""

import numpy as np
import pytest

from twotower.data.tokenization import Vocabulary
from twotower.data.windows import (
    TrainingWindows,
    contiguous_rows,
    heldout_documents,
    pair_rows,
    sliding_rows,
    validation_documents,
)
from twotower.system.errors import InputError

PERIOD = 9
VOCABULARY = Vocabulary(
    pad=0, mask=4, cls=2, sep=3, special=np.arange(5), ordinary=np.arange(5, 2000), sentence_ends=np.array([PERIOD])
)


def documents(lengths):
    """Documents of ordinary pieces, numbered from 10 on, each after a separator, and one after the last."""
    lengths = np.asarray(lengths)
    starts = np.cumsum(np.append(1, lengths[:-1] + 1))
    stream = np.arange(starts[-1] + lengths[-1] + 1) + 10
    stream[starts - 1] = stream[-1] = VOCABULARY.sep
    wanted = [int(start) + k for start, length in zip(starts, lengths, strict=True) for k in range(length)]
    return stream, starts, lengths, stream[wanted]


@pytest.mark.parametrize("window", [2, 3, 8, 64])
@pytest.mark.parametrize("make", [sliding_rows, contiguous_rows])
def test_every_heldout_token_is_scored_once_in_order_and_within_its_document(make, window):
    stream, starts, lengths, wanted = documents([1, 5, 64, 65, 200, 1])
    rows = make(stream, starts, lengths, window, VOCABULARY)
    text, scored = rows.read(slice(None))
    assert text[scored].tolist() == wanted.tolist() and rows.scored == len(wanted)
    for row in text:
        inside = np.flatnonzero(row == VOCABULARY.sep)
        assert all(place == 0 or (row[place + 1 :] == VOCABULARY.pad).all() for place in inside)


@pytest.mark.parametrize("window", [2, 3, 8, 64])
def test_sliding_rows_give_every_token_half_a_window_of_context(window):
    stream, starts, lengths, _ = documents([1, 5, 64, 65, 200, 1])
    _, scored = sliding_rows(stream, starts, lengths, window, VOCABULARY).read(slice(None))
    contexts = np.nonzero(scored)[1]
    positions = np.concatenate([np.arange(length) for length in lengths])
    assert (contexts >= np.minimum(positions + 1, max(1, window // 2))).all()


def test_training_windows_cover_an_epoch_once_and_do_not_depend_on_earlier_steps():
    tokens = np.arange(1000, dtype=np.uint16)
    windows = TrainingWindows(tokens, window=10, batch=7, seed=3)
    rows = np.concatenate([windows.get(step) for step in range(windows.per_epoch // 7)])
    assert (np.diff(rows, axis=1) == 1).all()
    assert len(np.unique(rows[:, 0])) == len(rows)
    again = TrainingWindows(tokens, window=10, batch=7, seed=3)
    assert (again.get(9) == windows.get(9)).all()
    assert (TrainingWindows(tokens, window=10, batch=7, seed=4).get(9) != windows.get(9)).any()
    assert (windows.get(200) < 1000).all()  # many epochs on


def test_fewer_tokens_than_one_window_is_refused_by_name():
    with pytest.raises(InputError, match="9 tokens, fewer than one window of 10"):
        TrainingWindows(np.arange(9), window=10, batch=1, seed=0)
    assert TrainingWindows(np.arange(11), window=10, batch=1, seed=0).get(0).tolist() == [list(range(11))]


@pytest.mark.parametrize("share", [0.1, 0.2, 0.5])
def test_the_heldout_split_is_whole_documents_at_least_the_share_and_seeded(share):
    sizes = np.random.default_rng(0).integers(100, 5000, 300)
    mask = heldout_documents(sizes, share, seed=1)
    assert share <= sizes[mask].sum() / sizes.sum() <= 1.5 * share
    assert (mask == heldout_documents(sizes, share, seed=1)).all()
    assert (mask != heldout_documents(sizes, share, seed=2)).any()


def test_one_huge_document_is_not_held_out():
    sizes = np.array([100] * 200 + [10_000])
    mask = heldout_documents(sizes, 0.2, seed=0)
    assert not mask[-1] and sizes[mask].sum() >= 0.2 * sizes.sum()


@pytest.mark.parametrize("sizes", [[100], [100] * 4, [10**8, 5, 5, 5, 5]])
def test_too_few_documents_are_refused_with_a_remedy(sizes):
    with pytest.raises(InputError, match=r"--prepare\.section-words"):
        heldout_documents(np.array(sizes), 0.2, seed=0)


def test_documents_are_kept_aside_whole_and_are_two_percent_where_they_can_be():
    sizes = np.random.default_rng(0).integers(100, 5000, 800)
    mask = validation_documents(sizes, seed=1)
    assert 0.019 <= sizes[mask].sum() / sizes.sum() <= 0.03
    assert (mask == validation_documents(sizes, seed=1)).all() and (mask != validation_documents(sizes, seed=2)).any()
    assert validation_documents(np.array([900, 300, 700]), seed=0).tolist() == [False, True, False]


def test_a_training_split_of_one_document_is_refused_with_a_remedy():
    with pytest.raises(InputError, match=r"one document is left for training.*--prepare\.section-words"):
        validation_documents(np.array([100]), seed=0)


def sentences(lengths, documents=1):
    """Documents of sentences of these lengths, full stop included."""
    text = [np.append(np.full(length - 1, 20 + number), PERIOD) for number, length in enumerate(lengths)]
    whole = np.concatenate(text)
    stream = np.concatenate([np.append([VOCABULARY.sep], whole)] * documents + [[VOCABULARY.sep]])
    starts = 1 + np.arange(documents) * (len(whole) + 1)
    return stream, starts, np.full(documents, len(whole))


def check_pair(row):
    assert row[0] == VOCABULARY.cls
    end = int(np.flatnonzero(row != VOCABULARY.pad)[-1])
    assert row[end] == VOCABULARY.sep and 1 <= (row == VOCABULARY.sep).sum() <= 2
    assert (row[1 : end + 1] != VOCABULARY.pad).all() and (row == VOCABULARY.cls).sum() == 1


@pytest.mark.parametrize("length", [16, 17, 40])
def test_pairs_hold_whole_sentences_between_cls_and_sep_and_score_every_token_once(length):
    stream, starts, lengths = sentences([4, 6, 3, 12, 5, 7, 2, 60, 9], documents=3)
    rows = pair_rows(stream, starts, lengths, length, VOCABULARY)
    text, scored = rows.read(slice(None))
    assert text[scored].tolist() == [token for token in stream.tolist() if token != VOCABULARY.sep]
    for row, mine in zip(text, scored, strict=True):
        check_pair(row)
        assert not mine[np.isin(row, VOCABULARY.special)].any()
        kept = row[mine]
        assert kept[-1] == PERIOD or len(kept) == length - 3  # only a sentence longer than a row is cut


def test_the_first_part_of_a_pair_ends_at_the_sentence_end_nearest_to_the_middle():
    stream, starts, lengths = sentences([3, 5, 4])
    row = pair_rows(stream, starts, lengths, 20, VOCABULARY).read(slice(0, 1))[0][0]
    # 12 tokens: sentences end after 3 and after 8; 8 is nearer to 6.
    assert np.flatnonzero(row == VOCABULARY.sep).tolist() == [9, 14]


def test_training_pairs_begin_with_a_sentence_and_stay_within_a_document():
    stream, _, _ = sentences([4, 6, 3, 12, 5, 7, 2, 60, 9], documents=30)
    stream = np.concatenate([stream, stream + np.where(stream >= 20, 100, 0)])
    windows = TrainingWindows(stream, window=24, batch=8, seed=1, row=24, pairs=VOCABULARY)
    firsts = set()
    for step in range(windows.per_epoch // 8):
        for row in windows.get(step):
            check_pair(row)
            words = row[row >= 20]
            assert (words > 100).all() or (words < 100).all()
            firsts.add(int(row[1]) % 100)
    assert len(firsts) > 6
    assert (windows.get(3) == TrainingWindows(stream, 24, 8, 1, 24, VOCABULARY).get(3)).all()
