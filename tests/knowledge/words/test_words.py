"""Words as each tower sees them: where they are found, what is measured, and planted truth."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from small_models import model_for
from twotower.config.schema import RunConfig
from twotower.data.heldout import PreparedText
from twotower.data.norms import Norms
from twotower.data.word_pairs import WordPairs
from twotower.knowledge.occurrences import Occurrences, find_occurrences, pieces_of
from twotower.knowledge.subject import Subject
from twotower.knowledge.words.word_norms import norms_of
from twotower.knowledge.words.word_views import WordView, contextual_views, input_views
from twotower.knowledge.words.words import measure_set, words
from twotower.modeling.layers import layer_states
from twotower.runs.records import load_config
from twotower.system.errors import InputError

COMMON = [
    "people",
    "government",
    "country",
    "states",
    "year",
    "congress",
    "war",
    "peace",
    "law",
    "public",
    "great",
    "time",
]


def test_words_are_found_whole_wherever_the_stream_is_cut(finished, monkeypatch):
    text = PreparedText(finished)
    words = ["war", "the", "warfare", "government", "congress", "self-evident", "日", "of"]
    pieces = pieces_of(words, text.tokenizer)
    assert pieces[5] == pieces[6] == ()
    stream = text.train[:20_000]
    spelled = [text.pieces[index] for index in stream]
    whole, place = [], []
    for position, piece in enumerate(spelled):
        if piece.startswith("##"):
            whole[-1] += piece[2:]
        else:
            whole.append(piece)
            place.append(position)
    for chunk in (2_000_000, 77):
        monkeypatch.setattr("twotower.knowledge.occurrences.CHUNK", chunk)
        occurrences = find_occurrences(stream, pieces, text.begins, 10**6, seed=0)
        assert occurrences.counts.tolist() == [
            whole.count(word) if one else 0 for word, one in zip(words, pieces, strict=True)
        ]
        expected = [
            (words.index(word), at) for word, at in zip(whole, place, strict=True) if word in [*words[:5], "of"]
        ]
        assert list(zip(occurrences.word.tolist(), occurrences.place.tolist(), strict=True)) == expected
    few = find_occurrences(stream, pieces, text.begins, 3, seed=0)
    assert np.bincount(few.word, minlength=8).max() == 3 and few.counts.tolist() == occurrences.counts.tolist()


@pytest.mark.parametrize(("family", "objective"), [("gpt", "causal"), ("bert", "masked"), ("elmo", "bidirectional")])
def test_a_word_is_its_mean_state_each_time_with_half_a_window_around_it(family, objective):
    model = model_for(family, objective)
    window, half = model.config.window, model.config.window // 2
    stream = np.random.default_rng(0).integers(5, 90, 200).astype(np.uint16)
    places = np.array([0, 31, 90, 151, 198])
    occurrences = Occurrences(np.array([3, 2]), np.array([0, 1, 0, 1, 0]), places)
    pieces = [(7,), (8, 9)]
    views = contextual_views(model, stream, pieces, occurrences, None, True)
    assert [view.name for view in views] == ["tower 1, layer 1", "tower 2, layer 1"]
    states = [[], []]
    for word, place in zip(occurrences.word, places, strict=True):
        length = len(pieces[word])
        starts = [min(k * half, len(stream) - window) for k in range(-(-(len(stream) - window) // half) + 1)]
        inside = [start for start in starts if start <= place and place + length <= start + window]
        middle = [abs(2 * (place - start) + length - window) for start in inside]
        start = min(inside) if objective == "causal" else inside[int(np.argmin(middle))]
        assert objective != "causal" or place - start >= min(place, half - length)
        row = torch.from_numpy(stream[start : start + window].astype(np.int64))[None]
        one = layer_states(model, row)[1][1][0, place - start : place - start + length]
        states[word].append(one.mean(dim=0).numpy())
    for word in range(2):
        assert views[1].vectors[word] == pytest.approx(np.mean(states[word], axis=0), abs=1e-5)


def test_the_input_of_a_word_is_the_mean_of_its_pieces_and_has_no_position():
    model = model_for("bert", "masked")
    shared, one, _ = input_views(model, [(7,), (8, 9)], True)
    weight = model.embedding.weight.detach()
    assert shared.vectors[1] == pytest.approx(weight[[8, 9]].mean(dim=0).numpy())
    with torch.no_grad():
        mapped = model.towers[0].input_map(model.embedding_norm.norm(weight[7]))
    assert one.vectors[0] == pytest.approx(mapped.numpy(), abs=1e-6)
    same = model_for("gpt", "causal", embedding_size=16)
    assert [view.name for view in input_views(same, [(7,)], True)] == ["shared embedding"]


def planted(count=400, seed=0):
    """Words, pairs of them, and views: one whose cosines are what people say, and one of noise."""
    generator = np.random.default_rng(seed)
    names = [f"w{k}" for k in range(count)]
    meaning, noise = generator.normal(size=(2, count, 12))
    numbers = generator.integers(count, size=(600, 2))
    numbers = numbers[numbers[:, 0] < numbers[:, 1]]
    centred = meaning - meaning.mean(axis=0)
    unit = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    ratings = (unit[numbers[:, 0]] * unit[numbers[:, 1]]).sum(axis=1) + 0.1 * generator.normal(size=len(numbers))
    pairs = WordPairs("planted", tuple((names[a], names[b]) for a, b in numbers), tuple(ratings), "rating")
    covered = pd.DataFrame({"word": names, "pieces": [(1,)] * count, "count": generator.integers(10, 999, count)})
    views = [WordView("one", 1, 2, True, meaning), WordView("other", 2, 2, True, noise)]
    return pairs, covered, views, generator


def test_similarity_finds_what_is_planted_and_nothing_in_noise():
    pairs, covered, views, generator = planted()
    number = {word: index for index, word in enumerate(covered["word"])}
    similarity = measure_set(pairs, number, views, covered, 0.95, generator)
    knows, noise = similarity.views
    assert knows.low > 0.85 and knows.p_value < 0.01
    assert noise.low < 0 < noise.high and noise.p_value > 0.01
    for view in similarity.views:
        assert view.null.low < 0 < view.null.high and abs(view.null.estimate) < 0.05
    assert similarity.differences[0].low > 0.5 and similarity.differences[0].towers == [1, 2]
    assert (similarity.covered, similarity.one_piece) == (len(pairs.words), len(pairs.words))


def test_norms_find_what_is_planted_beyond_frequency():
    _, covered, views, generator = planted()
    meaning = views[0].vectors
    frequency = np.log(covered["count"].to_numpy())
    norms = pd.DataFrame(
        {
            "concreteness": meaning[:, 0] + 0.3 * generator.normal(size=400),
            "familiarity": frequency + 0.01 * generator.normal(size=400),
            "valence": np.where(np.arange(400) < 300, generator.normal(size=400), np.nan),
        },
        index=covered["word"],
    )
    given = Norms(norms, {name: name for name in norms})
    found = norms_of(given, covered, views, RunConfig(), generator)
    concrete, familiar, valence = found.norms
    knows, noise = concrete.views
    assert knows.low > 0.85 and knows.beyond_baseline.low > 0.8
    assert noise.high < 0.1 and knows.null.high < 0.1 and concrete.baseline.high < 0.1
    assert concrete.differences[0].low > 0.7
    assert familiar.baseline.low > 0.99 and abs(familiar.views[0].beyond_baseline.estimate) < 0.01
    assert valence.words == 300 and valence.views[0].estimate < 0.1


def asked(finished, out, **settings):
    out.mkdir(exist_ok=True)
    config = load_config(finished)
    return Subject(replace(config, know=replace(config.know, **settings)), finished, out)


def write_pairs(tmp_path):
    lines = [f"{one}\t{other}\t{len(one) - len(other)}" for one in COMMON for other in COMMON if one <= other]
    path = tmp_path / "set.tsv"
    path.write_text("\n".join([*lines, "xylophone\tpeople\t3"]), encoding="utf-8")
    return str(path)


def test_a_real_run_answers_for_every_view_the_same_each_time(finished, tmp_path):
    norms = tmp_path / "norms.csv"
    table = pd.read_parquet(finished / "data" / "heldout.parquet")
    known = sorted({str(word).lower() for word in table["word"].unique() if str(word).isalpha()})[::4]
    norms.write_text("word,conc,aoa\n" + "".join(f"{word},{len(word)},{len(word) % 3}\n" for word in known))
    subject = asked(finished, tmp_path / "out", similarity=(write_pairs(tmp_path),), norms=str(norms), occurrences=5)
    figures = words(subject)
    one = figures.similarity[0]
    assert one.total == len(COMMON) * (len(COMMON) + 1) // 2 + 1 and one.identical == len(COMMON)
    assert one.covered == one.one_piece + one.several_pieces == len(COMMON) * (len(COMMON) - 1) // 2
    layers = [(view.tower, view.layer) for view in one.views]
    assert layers == [(0, None), (1, 0), (2, 0), (1, 1), (2, 1)] * 2
    assert [view.trained for view in one.views] == [True] * 5 + [False] * 5
    assert figures.norms.norms[0].words >= 50
    table = pd.read_parquet(tmp_path / "out" / "words.parquet")
    assert table["covered"].sum() == figures.words.covered and table.loc[table["covered"], "count"].min() >= 10
    again = words(asked(finished, tmp_path / "again", similarity=(write_pairs(tmp_path),), occurrences=5))
    assert again.similarity[0].views[:3] == one.views[:3]  # the same draws, whatever else is asked


def test_what_cannot_be_asked_is_one_line(finished, tmp_path):
    with pytest.raises(InputError, match=r"give --similarity FILE … or --norms FILE.csv"):
        words(asked(finished, tmp_path / "out"))
    rare = tmp_path / "rare.txt"
    rare.write_text("xylophone zither 9\nquark gluon 8\n")
    with pytest.raises(InputError, match=r"too few words occur 10 times .* \(rare: 0 of its pairs\)"):
        words(asked(finished, tmp_path / "out", similarity=(str(rare),)))
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"holds no \.txt"):
        words(asked(finished, tmp_path / "out", similarity=(str(tmp_path / "empty"),)))
    broken = tmp_path / "norms.csv"
    broken.write_text("word,concreteness\ndog,high\n")
    with pytest.raises(InputError, match=r"know\.norms: .*, line 2"):
        words(asked(finished, tmp_path / "out", norms=str(broken)))
