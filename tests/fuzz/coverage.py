"""Coverage-guided fuzzing of one parser with Atheris: `python tests/fuzz/coverage.py conllu -max_total_time=60`.

Further arguments are libFuzzer's. Atheris (`pip install atheris`) is not among the tests' dependencies: it needs a
compiler on some machines. What it finds belongs into `targets.seeds`.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))


def main() -> None:
    try:
        import atheris
    except ImportError:
        sys.exit("atheris is not installed; `pip install atheris`")
    with atheris.instrument_imports(include=["twotower"]):
        from fuzz import targets
    from twotower.system.errors import InputError

    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in targets.TARGETS:
        sys.exit(f"give one of {', '.join(targets.PARSERS)} (or {', '.join(targets.TARGETS)})")
    with tempfile.TemporaryDirectory() as place:
        corpus = Path(place) / "corpus"
        corpus.mkdir()
        for number, data in enumerate(targets.seeds()[name]):
            (corpus / str(number)).write_bytes(data)
        work = Path(place) / "work"
        work.mkdir()

        def once(data: bytes) -> None:
            with contextlib.suppress(InputError):
                targets.TARGETS[name](data, work)

        limits = ["-timeout=10", "-rss_limit_mb=2048", "-max_len=4096"]
        atheris.Setup([sys.argv[0], *limits, *sys.argv[2:], str(corpus)], once)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
