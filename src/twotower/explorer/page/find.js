"use strict";
// A concordance out of exported documents: the answer that `explorer/concordance.py` gives, regular expressions aside.
(() => {
  const CONTEXT = 12,
    MOST_HITS = 20_000;

  const reading = (typed, tags) => {
    const text = typed.trim();
    if (!text) throw new Error("type a word, a phrase, or a word class such as VERB");
    if (text.length > 2 && text.startsWith("/") && text.endsWith("/")) {
      throw new Error("A folder reads no regular expressions: use * in words, or `twotower explore` for the run.");
    }
    if (text.length > 2 && text.startsWith("[") && text.endsWith("]") && !text.includes(" ")) {
      return { piece: text.slice(1, -1) };
    }
    return {
      terms: text.split(/\s+/).map((word) => {
        if (tags.has(word)) return { pattern: "*", tag: word };
        const cut = word.lastIndexOf("_");
        const known = cut > 0 && tags.has(word.slice(cut + 1));
        return known ? { pattern: word.slice(0, cut), tag: word.slice(cut + 1) } : { pattern: word, tag: "" };
      }),
    };
  };

  /** Whether a word fits a pattern with * and ?, in time that grows with neither's repetitions. */
  const fits = (pattern, word) => {
    const [letters, text] = [[...pattern], [...word]];
    let [p, t, star, mark] = [0, 0, -1, 0];
    while (t < text.length) {
      if (letters[p] === "*") {
        star = p++;
        mark = t;
      } else if (p < letters.length && (letters[p] === "?" || letters[p] === text[t])) {
        p++;
        t++;
      } else if (star >= 0) {
        p = star + 1;
        t = ++mark;
      } else return false;
    }
    while (letters[p] === "*") p++;
    return p === letters.length;
  };

  const wordsOf = (document, piece) => {
    const words = [];
    document.piece_id.forEach((id, position) => {
      if (position && piece[id].startsWith("##")) {
        words.at(-1).text += explorer.shownPiece(piece[id]);
        words.at(-1).end++;
      } else {
        const tag = document.tags[document.tag[position]];
        words.push({ text: explorer.shownPiece(piece[id]), begin: position, end: position + 1, tag });
      }
    });
    return words;
  };

  const UNSPACED = ["Han", "Hiragana", "Katakana", "Thai", "Lao", "Khmer", "Myanmar"]
    .map((script) => `\\p{Script=${script}}`)
    .join("");
  const PARTS = new RegExp(`[${UNSPACED}]|(?:(?![${UNSPACED}])[\\p{L}\\p{M}\\p{N}_*?])+|\\S`, "gu");
  const MOST_PARTS = 8,
    MOST_WAYS = 64;

  /** The ways in which the text may have cut a typed word, as `_cut` of `explorer/query.py` has them. */
  const cut = ({ pattern, tag }, isFitting) => {
    const parts = pattern.match(PARTS) ?? [];
    if (parts.length < 2 || parts.length > MOST_PARTS || isFitting(pattern)) return [[{ pattern, tag }]];
    const ways = [];
    for (let ends = 0; ends < 2 ** (parts.length - 1); ends++) {
      const way = [parts[0]];
      parts.slice(1).forEach((part, k) => {
        if ((ends >> k) & 1) way.push(part);
        else way[way.length - 1] += part;
      });
      if (way.every(isFitting))
        ways.push(way.map((part, k) => ({ pattern: part, tag: k === way.length - 1 ? tag : "" })));
    }
    return ways.length ? ways : [[{ pattern, tag }]];
  };
  /** The phrases that a typed one may be. */
  const phrases = (terms, isFitting) =>
    terms
      .map((term) => cut(term, isFitting))
      .reduce((some, ways) => some.flatMap((one) => ways.map((way) => [...one, ...way])).slice(0, MOST_WAYS), [[]]);

  const matches = (words, query, fitting, piece, document) => {
    const hits = [];
    words.forEach((word, first) => {
      if (query.piece !== undefined) {
        for (let at = word.begin; at < word.end; at++) {
          if (piece[document.piece_id[at]] === query.piece)
            hits.push({ begin: at, end: at + 1, first, last: first });
        }
        return;
      }
      const ends = new Set();
      for (const terms of query.phrases) {
        const last = first + terms.length - 1;
        if (last >= words.length || ends.has(last)) continue;
        const met = terms.every(({ pattern, tag }, k) => {
          const { text, tag: own } = words[first + k];
          return (!tag || own === tag) && (pattern === "*" || fitting(pattern, text));
        });
        if (met) ends.add(last);
      }
      for (const last of [...ends].sort((a, b) => a - b))
        hits.push({ begin: word.begin, end: words[last].end, first, last });
    });
    return hits;
  };

  explorer.findOnDisk = async (documents, piece, { query: typed, case: capitals, tags }) => {
    const query = reading(typed, new Set(tags)),
      folded = (text) => (capitals ? text : text.toLowerCase());
    const memory = new Map();
    const fitting = (pattern, text) => {
      const key = `${pattern}\n${text}`;
      if (!memory.has(key)) memory.set(key, fits(folded(pattern), folded(text)));
      return memory.get(key);
    };
    const texts = [],
      number = new Map(),
      counts = new Map();
    const add = (text) => {
      if (!number.has(text)) number.set(text, texts.push(text) - 1);
      return number.get(text);
    };
    let tokens = 0,
      hits = [];
    const cutText = documents.map((document) => [document, wordsOf(document, piece)]);
    for (const [, words] of cutText) {
      tokens += words.length;
      for (const { text } of words) counts.set(text, (counts.get(text) || 0) + 1);
    }
    const isFitting = (part) => [...counts.keys()].some((text) => fitting(part, text));
    if (query.terms) query.phrases = phrases(query.terms, isFitting);
    for (const [document, words] of cutText) {
      for (const hit of matches(words, query, fitting, piece, document)) hits.push({ ...hit, document, words });
    }
    const total = hits.length;
    if (total > MOST_HITS) {
      const step = (total - 1) / (MOST_HITS - 1);
      hits = Array.from({ length: MOST_HITS }, (_, k) => hits[Math.floor(k * step)]);
    }
    const beside = (at, step) =>
      hits.flatMap(({ words, ...hit }) =>
        Array.from({ length: CONTEXT }, (_, k) => {
          const near = words[hit[at] + step * (k + 1)];
          return near ? add(near.text) : -1;
        }),
      );
    const joined = (document, from, to) =>
      document.piece_id
        .slice(from, to)
        .map((id) => explorer.shownPiece(piece[id]))
        .join("");
    const key = hits.map(({ document, words, first, last, begin, end }) =>
      add(
        query.piece === undefined
          ? words
              .slice(first, last + 1)
              .map(({ text }) => text)
              .join(" ")
          : joined(document, begin, end),
      ),
    );
    const names = Object.keys(documents[0]?.measures ?? {});
    const parts =
      query.piece === undefined
        ? {}
        : {
            before: hits.map(({ document, words, first, begin }) => joined(document, words[first].begin, begin)),
            after: hits.map(({ document, words, last, end }) => joined(document, end, words[last].end)),
          };
    return {
      total,
      tokens,
      key,
      ...parts,
      document: hits.map(({ document }) => document.document),
      position: hits.map(({ begin }) => begin),
      length: hits.map(({ begin, end }) => end - begin),
      tag: hits.map(({ words, last }) => words[last].tag),
      left: beside("first", -1),
      right: beside("last", 1),
      measures: Object.fromEntries(
        names.map((name) => [
          name,
          hits.map(({ document, begin, end }) =>
            document.measures[name].slice(begin, end).reduce((sum, value) => sum + value, 0),
          ),
        ]),
      ),
      word: texts,
      count: texts.map((text) => counts.get(text) ?? 0),
    };
  };
})();
