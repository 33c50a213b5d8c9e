"""HanTa in several processes: sentences are shared out, and come back as one process would have tagged them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from ..system.workers import WorkerEndedError, Workers, answer_questions
from .documents import adjoining

WORDS_AT_A_TIME = 1_000
"""About this many words go to a process at a time, so that none waits long for the last."""
FEWEST_WORDS = 20_000
"""Below this many, one process is done before others have loaded the model."""

MODELS = {"en": "morphmodel_en.pgz", "de": "morphmodel_ger.pgz", "nl": "morphmodel_dutch.pgz"}
"""HanTa's models by language (ISO 639), as they lie in its wheel."""

TagSentences = Callable[[Sequence[Sequence[str]]], list[list[str]]]
"""From the words of sentences to the tag of each, in the tag set of the model."""


class HantaPool:
    """HanTa's tags of sentences, by as many processes as are asked for once there is enough to do."""

    def __init__(self, processes: int, language: str) -> None:
        self.processes = processes
        self.language = language
        self._alone: TagSentences | None = None
        self._workers: Workers | None = None
        self._seen = 0

    def __call__(self, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
        """The tag of each word of each sentence."""
        self._seen += sum(len(sentence) for sentence in sentences)
        if self.processes == 1 or self._seen < FEWEST_WORDS:
            self._alone = self._alone or load_model(self.language)
            return self._alone(sentences)
        workers = self._workers = self._workers or Workers("twotower.data.tagging_pool", self.processes)

        def ask(part: list[Sequence[str]]) -> list[list[str]]:
            tags: list[list[str]] = workers.ask([self.language, part])
            return tags

        with ThreadPoolExecutor(self.processes) as threads:
            try:
                return [tags for part in threads.map(ask, adjoining(sentences, len, WORDS_AT_A_TIME)) for tags in part]
            except WorkerEndedError as end:
                raise RuntimeError(f"a process that tags: {end}; --threads 1 tags without others") from None

    def close(self) -> None:
        """End the processes."""
        if self._workers:
            self._workers.close()


@cache
def load_model(language: str) -> TagSentences:
    """HanTa's model of a language, in this process."""
    from HanTa.HanoverTagger import HanoverTagger

    tagger = HanoverTagger(MODELS[language])
    return lambda sentences: [
        [str(tag) for tag in tagger.tag_sent(list(sentence), taglevel=0)] for sentence in sentences
    ]


if __name__ == "__main__":
    answer_questions(lambda question: load_model(question[0])(question[1]))
