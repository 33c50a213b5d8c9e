"""Which text goes where, and that no token is scored twice or left out."""

import numpy as np
import pytest

from twotower.data.windows import TrainingWindows, heldout_documents, scoring_windows
from twotower.errors import InputError


@pytest.mark.parametrize("window", [2, 3, 8, 64])
def test_every_heldout_token_is_scored_once_in_order_with_enough_context(window):
    lengths = np.array([1, 5, 64, 65, 200, 1])
    starts = np.cumsum(np.append(1, lengths[:-1] + 1))
    stream = np.arange(starts[-1] + lengths[-1] + 1)
    windows = scoring_windows(starts, lengths, window)
    seen, contexts = [], []
    for row in range(len(windows)):
        inputs, targets, scored = windows.inputs_and_targets(stream, slice(row, row + 1), pad=-1)
        seen.extend(targets[scored].tolist())
        places = np.flatnonzero(scored[0])
        assert (targets[0, places] == inputs[0, places] + 1).all()  # the next token of the stream
        contexts.extend((places + 1).tolist())
    wanted = [int(start) + k for start, length in zip(starts, lengths, strict=True) for k in range(length)]
    assert seen == wanted
    positions = np.concatenate([np.arange(length) for length in lengths])
    assert (np.array(contexts) >= np.minimum(positions + 1, max(1, window // 2))).all()


def test_scoring_windows_do_not_read_other_documents():
    windows = scoring_windows(np.array([1, 12]), np.array([10, 6]), window=8)
    stream = np.array([-5, *range(100, 110), -5, *range(200, 206), -5])
    for row in range(len(windows)):
        inputs, _, scored = windows.inputs_and_targets(stream, slice(row, row + 1), pad=0)
        hundreds = set((inputs[inputs > 0] // 100).tolist())
        assert len(hundreds) == 1 and scored.any()


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
