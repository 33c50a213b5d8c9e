"use strict";
// What a concordance adds up to: order, collocates, groups, dispersion. Functions of an answer, and of nothing else.
(() => {
  explorer.CONTEXT = 12;
  const near = (answer, side, hit, distance) => answer[side][hit * explorer.CONTEXT + distance - 1];

  /** The words to one side of a hit, nearest first. */
  explorer.beside = (answer, side, hit) =>
    Array.from({ length: explorer.CONTEXT }, (_, k) => near(answer, side, hit, k + 1)).filter((word) => word >= 0);

  /** Orders: by the words to the left or right from a distance on, the hit itself, the document, or a measure. */
  explorer.orders = { "1L": ["left", 1], "2L": ["left", 2], "1R": ["right", 1], "2R": ["right", 2] };
  const DEPTH = 3;
  explorer.sortHits = (answer, order, descending) => {
    const alphabet = answer.word.map((text) => text.toLowerCase());
    const ranked = [...alphabet.keys()].sort((a, b) =>
      alphabet[a] < alphabet[b] ? -1 : alphabet[a] > alphabet[b] ? 1 : 0,
    );
    const rank = new Map(ranked.map((word, place) => [word, place]));
    const keys = (hit) => {
      if (order === "hit") return [rank.get(answer.key[hit]), rank.get(near(answer, "right", hit, 1)) ?? -1];
      const [side, from] = explorer.orders[order];
      return Array.from({ length: DEPTH }, (_, k) => rank.get(near(answer, side, hit, from + k)) ?? -1);
    };
    const hits = [...answer.key.keys()];
    if (order in answer.measures) {
      const values = answer.measures[order];
      hits.sort((a, b) => values[a] - values[b] || a - b);
    } else if (order !== "document") {
      const kept = hits.map(keys);
      hits.sort((a, b) => {
        for (let level = 0; level < kept[a].length; level++) {
          if (kept[a][level] !== kept[b][level]) return kept[a][level] - kept[b][level];
        }
        return a - b;
      });
    }
    return descending ? hits.reverse() : hits;
  };

  const summed = (values) => {
    const count = values.length,
      mean = values.reduce((sum, value) => sum + value, 0) / count;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1);
    return { count, mean, error: count > 1 ? Math.sqrt(variance / count) : null };
  };

  /** Groups of hits by a label: `label`, `hits`, and the measure's `count`, `mean` and `error`; the largest first. */
  explorer.groupHits = (answer, measure, labelOf) => {
    const groups = new Map();
    answer.key.forEach((_, hit) => {
      const label = labelOf(hit);
      if (label === null) return;
      if (!groups.has(label)) groups.set(label, []);
      groups.get(label).push(answer.measures[measure][hit]);
    });
    return [...groups].map(([label, values]) => ({ label, ...summed(values) })).sort((a, b) => b.count - a.count);
  };

  /**
   * Words within `span` words of a hit: `word`, in how many hits, logDice (Rychlý 2008), the mean of the measure in
   * hits with the word and in hits without it. A word counts once for each hit.
   */
  explorer.collocates = (answer, measure, span, least) => {
    const values = answer.measures[measure],
      told = values.length;
    const all = values.reduce((sum, value) => sum + value, 0),
      found = new Map();
    for (let hit = 0; hit < told; hit++) {
      const seen = new Set();
      for (const side of ["left", "right"]) {
        for (let distance = 1; distance <= span; distance++) {
          const word = near(answer, side, hit, distance);
          if (word >= 0) seen.add(word);
        }
      }
      for (const word of seen) {
        const beside = found.get(word) ?? { hits: 0, sum: 0 };
        beside.hits++;
        beside.sum += values[hit];
        found.set(word, beside);
      }
    }
    const scale = told ? answer.total / told : 1; // of very many hits only some are told
    return [...found]
      .filter(([, { hits }]) => hits >= least)
      .map(([word, { hits, sum }]) => ({
        word: answer.word[word],
        hits,
        with: sum / hits,
        without: hits < told ? (all - sum) / (told - hits) : null,
        dice: 14 + Math.log2((2 * hits * scale) / (answer.total + answer.count[word])),
      }));
  };

  /** Gries' DP (2008): 0 where hits are spread as the text is, towards 1 where they crowd in few documents. */
  explorer.dispersion = (answer, tokens, passes) => {
    const hits = new Map();
    for (const document of answer.document) hits.set(document, (hits.get(document) || 0) + 1);
    const kept = tokens.map((count, number) => (passes[number] ? count : 0));
    const all = kept.reduce((sum, count) => sum + count, 0),
      told = answer.document.length;
    const apart = kept.map((count, number) => Math.abs(count / all - (hits.get(number) || 0) / told));
    return {
      hits,
      documents: hits.size,
      of: passes.filter(Boolean).length,
      dp: apart.reduce((sum, value) => sum + value, 0) / 2,
    };
  };
})();
