"""Training a WordPiece tokenizer (Hugging Face `tokenizers`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from ..system.errors import InputError
from .characters import unspaced_runs, visible_normalizer
from .tokenization import ROLES

SPECIAL_TOKENS = tuple(names[0] for names in ROLES.values())
PREFIX = "##"
COVERAGE = 0.9995
"""Of the characters of the text, the share that the alphabet is to hold where not all have room."""
FEWEST_COVERED = 0.99
SMALL_SHARE, LARGEST_SHARE = 0.25, 0.9
"""Of the vocabulary, what an alphabet of every character may take, and what one of `COVERAGE` may take."""


def train_tokenizer(
    texts: Callable[[], Iterator[list[str]]], vocabulary: int, lowercase: bool = True, accents: bool = True
) -> Tokenizer:
    """A WordPiece tokenizer of at most `vocabulary` pieces; `accents` keeps accents and marks.

    Words are divided at white space and punctuation, and each Chinese character is one (Devlin et al. 2019). Runs of
    other scripts without spaces are divided by the vocabulary alone.

    `texts()` is iterated twice; each item is a list of strings. The trainer of `tokenizers` numbers word-internal
    letters in hash order, so that two trainings on one text differ; here the alphabet is counted first and handed over
    in a fixed order, and the result depends on the text alone.

    The alphabet is every character of the text if that takes a quarter of the vocabulary at most; otherwise the
    commonest that make up `COVERAGE` of the text, in at most nine tenths. Raises `InputError` if these are not even
    99 % of the text.
    """
    tokenizer = wordpiece({}, lowercase, accents)
    counts: Counter[str] = Counter()
    for batch in texts():
        for text in batch:
            counts.update(tokenizer.normalizer.normalize_str(text))

    def continues(char: str) -> bool:
        return len(tokenizer.pre_tokenizer.pre_tokenize_str(tokenizer.normalizer.normalize_str(char + char))) == 1

    alphabet = _alphabet(counts, vocabulary, continues)
    continuing = [PREFIX + char for char in alphabet if continues(char)]
    trainer = trainers.WordPieceTrainer(
        vocab_size=vocabulary,
        special_tokens=[*SPECIAL_TOKENS, *alphabet, *continuing],
        initial_alphabet=alphabet,
        limit_alphabet=len(alphabet),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts(), trainer)
    return wordpiece(tokenizer.get_vocab(with_added_tokens=True), lowercase, accents)


def _alphabet(counts: Counter[str], vocabulary: int, continues: Callable[[str], bool]) -> list[str]:
    """The characters that the vocabulary is to spell, sorted; those that go on with words take two pieces."""
    common = sorted((char for char in counts if not char.isspace()), key=lambda char: (-counts[char], char))
    total, room = sum(counts[char] for char in common), vocabulary - len(SPECIAL_TOKENS)
    covered = pieces = needed = 0
    alphabet: list[str] = []
    for char in common:
        share = SMALL_SHARE if covered >= COVERAGE * total else LARGEST_SHARE
        pieces += 1 + continues(char)
        if pieces > share * room:
            break
        covered += counts[char]
        alphabet.append(char)
    if covered < FEWEST_COVERED * total:
        covered = 0
        for char in common:
            if covered >= FEWEST_COVERED * total:
                break
            covered += counts[char]
            needed += 1 + continues(char)
        least = int(needed / LARGEST_SHARE) + 1 + len(SPECIAL_TOKENS)
        raise InputError(
            f"prepare.vocabulary: {vocabulary} is too small for the characters of this corpus; 99 % of its text need "
            f"{needed} pieces for single characters, and so --prepare.vocabulary {least} or more"
        )
    return sorted(alphabet)


def wordpiece(vocabulary: dict[str, int], lowercase: bool, accents: bool) -> Tokenizer:
    """A WordPiece tokenizer over these pieces, none to train it."""
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    steps = [
        visible_normalizer(),
        normalizers.BertNormalizer(clean_text=False, strip_accents=not accents, lowercase=lowercase),
    ]
    if lowercase and accents:  # İ, lowercased letter by letter, leaves a dot over the i behind
        steps.append(normalizers.Replace("i\u0307", "i"))
    tokenizer.normalizer = normalizers.Sequence(steps)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.BertPreTokenizer(), pre_tokenizers.Split(Regex(unspaced_runs()), "isolated")]
    )
    tokenizer.decoder = decoders.WordPiece(prefix=PREFIX)
    if vocabulary:
        tokenizer.add_special_tokens([token for token in SPECIAL_TOKENS if token in vocabulary])
    tokenizer.encode_special_tokens = True
    return tokenizer
