"""Minimal pairs from gold trees: on the frame of a real sentence, one thing is made worse.

Violations of syntax change a form or the order and keep what is said; violations of meaning keep the sentence
grammatical. Forms come from the treebank itself (the same lemma with other features), so that any language whose
treebank has features is served; what needs to know animacy is English only. Ready sets are mostly out of a small
vocabulary; these are in it by choice.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from ...data.trees import Tree, TreeWord
from .animacy import OF_MINDS, PEOPLE, THINGS
from .minimal_pair import MEANING, OTHER, SYNTAX, MinimalPair
from .nonce import CONFLICT, NONCE, conflicts, forms_of, nonce_change

SHORTEST, LONGEST = 4, 30
"""Tokens of a sentence that serves as a frame."""
SHORTEST_NOUN = 3
NOUNS_AT_LEAST, NOUNS_SHARE = 3, 0.9
"""How often, and in which share of its occurrences, a form is a noun of its number before it replaces another."""
MOST_OBJECTS = 80
"""Different objects of a verb in the treebank above which hardly any noun is implausible: have, get, like, see."""
CHANCE = 0.2
"""How often, at least, a noun would follow a verb by chance where that it never does says something."""
RATIO = 1.5
"""By which factor the training frequency of a word that replaces another may differ from its own."""
OTHER_NUMBER = {"Sing": "Plur", "Plur": "Sing"}
SET = "treebank"

Change = tuple[dict[int, str], str]
"""New forms by the place of the token, and the relation that they violate."""


@dataclass
class Lexicon:
    """The forms of a treebank, and how often words occur where the towers were trained."""

    count: Callable[[str], int]
    """Occurrences of a form in the training text; 0 if it does not occur."""
    together: Callable[[str, str], tuple[int, float]]
    """How often a noun follows a verb (lemmas) in the training text within a few words, and how often it would by
    chance."""
    forms: dict[tuple[str, str, str], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """By lemma, UPOS and features: the lower-cased forms."""
    nouns: dict[str, Counter[tuple[str, str]]] = field(default_factory=lambda: defaultdict(Counter))
    """By number: the lower-cased forms of common nouns, with their lemmas."""
    objects: set[tuple[str, str]] = field(default_factory=set)
    """Verb and object, as lemmas, that occur in the treebank."""
    occurrences: Counter[str] = field(default_factory=Counter)
    """Occurrences of each lower-cased form in the treebank, whatever it is."""

    @classmethod
    def of(
        cls, trees: Sequence[Tree], count: Callable[[str], int], together: Callable[[str, str], tuple[int, float]]
    ) -> Lexicon:
        """The lexicon of all trees."""
        lexicon = cls(count, together)
        for tree in trees:
            for word in tree.words:
                form = word.form.lower()
                lexicon.forms[word.lemma, word.upos, _features(word)][form] += 1
                lexicon.occurrences[form] += 1
                if word.upos == "NOUN" and word.form.isalpha() and (number := word.features.get("Number")):
                    lexicon.nouns[number][form, word.lemma.lower()] += 1
                if word.relation == "obj" and word.head:
                    lexicon.objects.add((tree.words[word.head - 1].lemma.lower(), word.lemma.lower()))
        return lexicon

    def is_noun(self, form: str, lemma: str, number: str) -> bool:
        """Whether a form is hardly ever anything but a noun of this number."""
        times = self.nouns[number][form, lemma]
        return times >= max(NOUNS_AT_LEAST, NOUNS_SHARE * self.occurrences[form])

    def objects_of(self, verb: str) -> int:
        """How many different objects a verb has in the treebank."""
        if not self._objects:
            self._objects.update(lemma for lemma, _ in self.objects)
        return self._objects[verb]

    _objects: Counter[str] = field(default_factory=Counter, repr=False)

    def other_form(self, word: TreeWord, **changed: str) -> str | None:
        """The commonest form of the same lemma with some features changed; None where there is none, or the same."""
        wanted = {name: value for name, value in (word.features | changed).items() if value}
        forms = self.forms.get((word.lemma, word.upos, _joined(wanted)))
        if not forms:
            return None
        form = min(forms, key=lambda spelling: (-forms[spelling], spelling))
        return form if form != word.form.lower() and form.isalpha() else None


def generate(
    trees: Sequence[Tree], lexicon: Lexicon, frequent: int, most: int, generator: np.random.Generator
) -> tuple[list[MinimalPair], dict[str, int]]:
    """Up to `most` pairs of each violation, drawn at random, and how many there were of each.

    A pair counts where each word of both sentences occurs at least `frequent` times in the training text. A sentence
    gives one pair of each violation at most. As many pairs are drawn in which the changed words are rarer in the
    better sentence as in which they are more frequent, so that frequency alone is right in half of them.
    """
    by_violation: dict[str, list[MinimalPair]] = {name: [] for name in VIOLATIONS}
    by_violation |= {f"{NONCE} {name}": [] for name, (kind, _) in VIOLATIONS.items() if kind == SYNTAX} | {CONFLICT: []}
    [apart] = generator.spawn(1)  # pairs of the violations stay as they are without those made of them
    forms = forms_of(trees)
    usable = {form: lexicon.count(form) >= frequent for counts in forms.values() for form in counts}
    for tree in trees:
        if not SHORTEST <= len(tree.tokens) <= LONGEST:
            continue
        if any(lexicon.count(token) < frequent for token in tree.tokens):
            continue
        changes_by_kind: dict[str, dict[str, dict[int, str]]] = {SYNTAX: {}, MEANING: {}}
        for name, (kind, violate) in VIOLATIONS.items():
            changes = list(violate(tree, lexicon))
            if not changes:
                continue
            change, relation = changes[int(generator.integers(len(changes)))]
            if any(lexicon.count(form) < frequent for form in change.values()):
                continue
            bad = _rewritten(tree, change)
            if bad.lower() != tree.text.lower():
                by_violation[name].append(
                    MinimalPair(SET, name, kind, tree.text, bad, tree.name, relation, tree.document)
                )
                changes_by_kind[kind][name] = change
                if kind == SYNTAX and (others := nonce_change(tree, change, forms, usable, apart)):
                    by_violation[f"{NONCE} {name}"].append(
                        MinimalPair(
                            SET, f"{NONCE} {name}", OTHER, _rewritten(tree, others), _rewritten(tree, others | change),
                            tree.name, relation, tree.document,
                        )
                    )  # fmt: skip
        syntax, meaning = (list(changes_by_kind[kind].values()) for kind in (SYNTAX, MEANING))
        if possible := list(conflicts(syntax, meaning)):
            first, second = possible[int(apart.integers(len(possible)))]
            by_violation[CONFLICT].append(
                MinimalPair(
                    SET, CONFLICT, OTHER, _rewritten(tree, meaning[second]), _rewritten(tree, syntax[first]), tree.name,
                    "", tree.document,
                )
            )  # fmt: skip
    chosen = []
    for pairs in by_violation.values():
        chosen += _balanced(list(dict.fromkeys(pairs)), lexicon, most, generator)
    return chosen, {name: len(pairs) for name, pairs in by_violation.items()}


def _balanced(
    pairs: list[MinimalPair], lexicon: Lexicon, most: int, generator: np.random.Generator
) -> list[MinimalPair]:
    """As many pairs whose better sentence has the rarer words as pairs whose worse one has; ties stay."""
    rarer = np.array([_log_frequency(pair.good, lexicon) - _log_frequency(pair.bad, lexicon) for pair in pairs])
    sides = [np.flatnonzero(np.abs(rarer) <= 1e-9), np.flatnonzero(rarer < -1e-9), np.flatnonzero(rarer > 1e-9)]
    shuffled = [generator.permutation(side) for side in sides]
    per_side = min(len(shuffled[1]), len(shuffled[2]), most // 2)
    ties = shuffled[0][: max(0, most - 2 * per_side)]
    numbers = np.sort(np.concatenate([ties, shuffled[1][:per_side], shuffled[2][:per_side]])).astype(int)
    return [pairs[number] for number in numbers.tolist()]


def _log_frequency(text: str, lexicon: Lexicon) -> float:
    return float(sum(np.log(max(1, lexicon.count(word))) for word in re.findall(r"\w+|[^\w\s]", text.lower())))


def _agreement(tree: Tree, lexicon: Lexicon) -> Iterator[Change]:
    """The finite verb has the other number than its subject."""
    for subject in tree.words:
        if subject.relation != "nsubj" or not subject.head:
            continue
        number = subject.features.get("Number")
        if number not in OTHER_NUMBER or subject.features.get("Person", "3") != "3" or _has(tree, subject, "conj"):
            continue
        if subject.upos == "NOUN" and number == "Plur" and subject.form.lower() == subject.lemma.lower():
            continue  # `staff are` and `staff is` are both said
        head = tree.words[subject.head - 1]
        beside = [word for word in _children(tree, head) if word.relation in ("aux", "cop")]
        for verb in (head, *beside):
            features = verb.features
            if (
                verb.upos in ("VERB", "AUX")
                and features.get("VerbForm") == "Fin"
                and features.get("Number") == number
                and features.get("Person", "3") == "3"
                and _alone(tree, verb)
                and (form := lexicon.other_form(verb, Number=OTHER_NUMBER[number]))
            ):
                yield {verb.token: form}, "nsubj"


def _determiner(tree: Tree, lexicon: Lexicon) -> Iterator[Change]:
    """A determiner has the other number than its noun."""
    for word in tree.words:
        number = word.features.get("Number")
        if word.upos != "DET" or word.relation != "det" or number not in OTHER_NUMBER or not _alone(tree, word):
            continue
        noun = tree.words[word.head - 1]
        if noun.features.get("Number") == number and (form := lexicon.other_form(word, Number=OTHER_NUMBER[number])):
            yield {word.token: form}, "det"


def _order(tree: Tree, lexicon: Lexicon) -> Iterator[Change]:
    """An article and the word after it, or a preposition and the article after it, change places."""
    for first, second in zip(tree.words, tree.words[1:], strict=False):
        if not (_alone(tree, first) and _alone(tree, second) and tree.spaces[first.token]):
            continue
        article = first.features.get("PronType") == "Art" and first.relation == "det"
        same_phrase = article and second.upos in ("NOUN", "ADJ") and (
            first.head in (second.head, _number(tree, second))
        )  # fmt: skip
        before_article = (
            first.upos == "ADP" and first.relation == "case"
            and second.features.get("PronType") == "Art" and second.head == first.head
        )  # fmt: skip
        if same_phrase or before_article:
            yield {first.token: second.form, second.token: first.form}, first.relation


def _auxiliary(tree: Tree, lexicon: Lexicon) -> Iterator[Change]:
    """A verb after an auxiliary has a form that the auxiliary does not take."""
    for verb in tree.words:
        if verb.upos != "VERB" or not _alone(tree, verb):
            continue
        auxiliaries = [word for word in _children(tree, verb) if word.relation == "aux" and word.token < verb.token]
        if not auxiliaries:
            continue
        cleared = {"VerbForm": "", "Tense": "", "Voice": "", "Mood": "", "Number": "", "Person": ""}
        if verb.features.get("VerbForm") == "Inf":
            past = {"VerbForm": "Fin", "Tense": "Past", "Mood": "Ind", "Number": "Sing", "Person": "3"}
            form = lexicon.other_form(verb, **(cleared | past))
        else:
            form = lexicon.other_form(verb, **(cleared | {"VerbForm": "Inf"}))
        if form:
            yield {verb.token: form}, "aux"


def _reflexive(tree: Tree, lexicon: Lexicon) -> Iterator[Change]:
    """A reflexive pronoun has the other number than the subject it belongs to."""
    for word in tree.words:
        number = word.features.get("Number")
        if word.features.get("Reflex") != "Yes" or number not in OTHER_NUMBER or not word.head:
            continue
        subjects = [child for child in _children(tree, tree.words[word.head - 1]) if child.relation == "nsubj"]
        if len(subjects) != 1 or subjects[0].features.get("Number") not in (number, None) or not _alone(tree, word):
            continue
        others = Counter(
            {
                form: count
                for (_, upos, features), forms in lexicon.forms.items()
                if upos == word.upos and "Reflex=Yes" in features and f"Number={OTHER_NUMBER[number]}" in features
                and "Person=3" in features
                for form, count in forms.items()
            }
        )  # fmt: skip
        if others:
            yield {word.token: min(others, key=lambda pronoun: (-others[pronoun], pronoun))}, word.relation


def _roles(tree: Tree, lexicon: Lexicon) -> Iterator[Change]:
    """A person that acts and a thing that is acted on change places."""
    for verb, subject, thing in _transitive(tree):
        lemmas = subject.lemma.lower(), thing.lemma.lower()
        same = subject.features.get("Number") == thing.features.get("Number")
        unheard = (verb.lemma.lower(), lemmas[0]) not in lexicon.objects
        if lemmas[0] in PEOPLE and lemmas[1] not in PEOPLE and same and unheard:
            yield {subject.token: thing.form.lower(), thing.token: subject.form.lower()}, "nsubj+obj"


def _object(tree: Tree, lexicon: Lexicon) -> Iterator[Change]:
    """A noun that the verb is never seen with takes the place of its object; number and frequency stay."""
    for word in tree.words:
        if word.relation != "obj" or word.upos != "NOUN" or not _alone(tree, word) or _has(tree, word, "compound"):
            continue
        verb = tree.words[word.head - 1].lemma.lower()
        if lexicon.objects_of(verb) > MOST_OBJECTS or not _has(tree, word, "det", "nmod", "amod"):
            continue

        def fits(lemma: str, verb: str = verb) -> float | None:
            times, expected = lexicon.together(verb, lemma)
            return expected if not times and expected >= CHANCE and (verb, lemma) not in lexicon.objects else None

        if form := _replacement(word, lexicon, fits):
            yield {word.token: form}, "obj"


def _animacy(tree: Tree, lexicon: Lexicon) -> Iterator[Change]:
    """A thing takes the place of a person as the subject of a verb that asks for a mind."""
    for word in tree.words:
        if word.relation != "nsubj" or word.upos != "NOUN" or word.lemma.lower() not in PEOPLE:
            continue
        verb = tree.words[word.head - 1]
        if verb.upos != "VERB" or verb.lemma.lower() not in OF_MINDS or not _alone(tree, word):
            continue
        if form := _replacement(word, lexicon, lambda lemma: 1.0 if lemma in THINGS else None):
            yield {word.token: form}, "nsubj"


VIOLATIONS: dict[str, tuple[str, Callable[[Tree, Lexicon], Iterator[Change]]]] = {
    "agreement": (SYNTAX, _agreement),
    "determiner": (SYNTAX, _determiner),
    "order": (SYNTAX, _order),
    "auxiliary": (SYNTAX, _auxiliary),
    "reflexive": (SYNTAX, _reflexive),
    "roles": (MEANING, _roles),
    "object": (MEANING, _object),
    "animacy": (MEANING, _animacy),
}
"""The violations, by the name of their paradigm."""


def _replacement(word: TreeWord, lexicon: Lexicon, fits: Callable[[str], float | None]) -> str | None:
    """The noun of the same number and similar frequency that fits best: of those, the one of the nearest frequency."""
    own = lexicon.count(word.form)
    candidates: list[tuple[float, int, str]] = []
    number = word.features.get("Number", "")
    for form, lemma in lexicon.nouns.get(number, ()):
        if not lexicon.is_noun(form, lemma, number):
            continue
        count = lexicon.count(form)
        if not own or not count or not 1 / RATIO <= count / own <= RATIO or lemma == word.lemma.lower():
            continue
        if len(form) < SHORTEST_NOUN or (form[0] in "aeiou") != (word.form[0].lower() in "aeiou"):
            continue  # no letters that were tagged as nouns; and `a` and `an` stay right
        fit = fits(lemma)
        if fit is not None:
            candidates.append((-fit, abs(count - own), form))
    return min(candidates)[2] if candidates else None


def _transitive(tree: Tree) -> Iterator[tuple[TreeWord, TreeWord, TreeWord]]:
    """Active verbs with their subject and object, both of them common nouns without coordination."""
    for verb in tree.words:
        if verb.upos != "VERB" or verb.features.get("Voice") == "Pass":
            continue
        children = _children(tree, verb)
        subject = [child for child in children if child.deprel == "nsubj" and child.upos == "NOUN"]
        thing = [child for child in children if child.relation == "obj" and child.upos == "NOUN"]
        if len(subject) == len(thing) == 1 and all(
            _alone(tree, noun) and not _has(tree, noun, "conj", "compound") for noun in (*subject, *thing)
        ):
            yield verb, subject[0], thing[0]


def _rewritten(tree: Tree, change: dict[int, str]) -> str:
    """The sentence with some tokens changed; the first token keeps its capital, and others lose one."""
    tokens = list(tree.tokens)
    for place, form in change.items():
        first = place == 0 and tree.tokens[0][:1].isupper()
        swapped_capital = 0 in change and place != 0 and form == tree.tokens[0]
        tokens[place] = form[:1].upper() + form[1:] if first else form.lower() if swapped_capital else form
    return "".join(token + " " * space for token, space in zip(tokens, tree.spaces, strict=True)).rstrip()


def _features(word: TreeWord) -> str:
    return _joined(word.features)


def _joined(features: dict[str, str]) -> str:
    return "|".join(f"{name}={value}" for name, value in sorted(features.items()))


def _number(tree: Tree, word: TreeWord) -> int:
    return next(number for number, tree_word in enumerate(tree.words, start=1) if tree_word is word)


def _children(tree: Tree, word: TreeWord) -> list[TreeWord]:
    number = _number(tree, word)
    return [tree_word for tree_word in tree.words if tree_word.head == number]


def _has(tree: Tree, word: TreeWord, *relations: str) -> bool:
    return any(child.relation in relations for child in _children(tree, word))


def _alone(tree: Tree, word: TreeWord) -> bool:
    """Whether a word is a token of its own, of letters."""
    return tree.tokens[word.token] == word.form and word.form.isalpha()
