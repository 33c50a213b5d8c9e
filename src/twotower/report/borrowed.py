"""A figure's drawing on axes that somebody else has made, in their style and at their size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.artist import Artist
from matplotlib.collections import Collection

from ..system.errors import InputError
from .sheet import Draw, Sheet


class BorrowedSheet(Sheet):
    """A sheet whose one pair of axes belongs to another figure; only the drawings of one pair of axes fit."""

    def __init__(self, axes: Any) -> None:
        super().__init__()
        self._borrowed = axes

    def add_subplot(self, *_: Any, **__: Any) -> Any:
        """The axes that were given."""
        return self._borrowed

    def panels(self, number: int, height: float) -> Any:
        """The axes that were given. Raises `InputError` for a drawing of several."""
        if number != 1:
            raise InputError(f"ax: this figure has {number} panels; leave ax out, and take the whole figure")
        return [self._borrowed]

    def colorbar(self, mappable: Any, *args: Any, **settings: Any) -> Any:
        """Beside the axes that were given, in their figure."""
        return self._borrowed.figure.colorbar(mappable, *args, **settings)

    def tell(self, marks: Collection, tips: Sequence[str]) -> None:
        """Nothing: tips are for the page."""

    def key(self, columns: int = 4, handles: Sequence[Artist] | None = None, scale: float = 1.0) -> None:
        """A legend of the axes."""
        if handles is not None:
            self._borrowed.legend(handles=list(handles), markerscale=scale, scatterpoints=1)
        elif self._borrowed.get_legend_handles_labels()[0]:
            self._borrowed.legend(markerscale=scale, scatterpoints=1)


def draw_on(draw: Draw, axes: Any) -> Any:
    """Draw a figure on axes, and return them."""
    draw(BorrowedSheet(axes))
    return axes
