"""Passages: spaces stand where a reader expects them, as far as pieces tell."""

import pytest

from twotower.report.passages import are_glued


@pytest.mark.parametrize(
    ("pieces", "shown"),
    [
        ("two - thirds of the people ' s rights", "two-thirds of the people's rights"),
        ("the nations ' rights - - so they don ' t", "the nations' rights -- so they don't"),
        ("1 , 000 men in 1863 , 200 and 3 / 4", "1,000 men in 1863, 200 and 3/4"),
        ("accom ##mod ##ation ( now ) [ 1818 - 10 - 20 ] .", "accommodation (now) [1818-10-20]."),
        ("- a dash - , and -", "- a dash -, and -"),
    ],
)
def test_pieces_become_text(pieces, shown):
    given = pieces.split()
    spaces = ["" if glued or not place else " " for place, glued in enumerate(are_glued(given))]
    assert "".join(space + piece.removeprefix("##") for space, piece in zip(spaces, given, strict=True)) == shown
