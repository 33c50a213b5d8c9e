import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twotower.scoring.windows import causal_windows, surrounding_windows

SIZES = st.tuples(st.integers(1, 200), st.integers(2, 40), st.booleans())


@given(SIZES)
def test_every_token_but_the_first_is_predicted_once_with_half_a_window_before_it(sizes):
    tokens, window, half = sizes
    step = max(1, window // 2) if half else window
    rows = causal_windows(5, tokens, window, step)
    predicted = [
        (place, place - start)
        for start, first, last in zip(rows.start, rows.first, rows.last, strict=True)
        for place in range(first, last)
    ]
    assert [place for place, _ in predicted] == list(range(6, 5 + tokens))
    assert (rows.stop - rows.start <= window).all()
    for place, context in predicted:
        assert context >= min(place - 5, window - step + 1)


def test_a_step_of_a_whole_window_gives_the_rolling_windows_of_lm_evaluation_harness():
    """Disjoint: the first begins with the token before the text, and the last is filled up to its length."""
    rows = causal_windows(0, 1 + 10, 4, 4)  # one token before a text of ten
    assert rows.start.tolist() == [0, 4, 6]
    assert rows.stop.tolist() == [4, 8, 10]
    assert list(zip(rows.first.tolist(), rows.last.tolist(), strict=True)) == [(1, 5), (5, 9), (9, 11)]


@given(SIZES)
def test_models_of_both_directions_predict_every_token_once_from_a_whole_window(sizes):
    tokens, window, half = sizes
    rows = surrounding_windows(3, tokens, window, max(1, window // 2) if half else window)
    places = [place for first, last in zip(rows.first, rows.last, strict=True) for place in range(first, last)]
    assert places == list(range(3, 3 + tokens))
    assert ((rows.stop - rows.start) == min(window, tokens)).all()
    assert (rows.first >= rows.start).all() and (rows.last <= rows.stop).all()


@pytest.mark.parametrize("tokens", [0, 1])
def test_a_text_without_a_second_token_has_nothing_to_predict(tokens):
    assert not np.size(causal_windows(0, tokens, 8, 4).start)
