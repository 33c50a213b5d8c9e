"use strict";
// Data by name: from the server, or, from a disk, out of scripts that are loaded when they are first needed.
(() => {
  const kept = new Map();
  const waiting = new Map();

  explorer.receive = (name, run, value) => {
    const key = `${name}-${run}`;
    waiting.get(key)?.(value);
    waiting.delete(key);
  };

  const script = (name, run) => {
    const key = `${name}-${run}`;
    return new Promise((resolve, reject) => {
      waiting.set(key, resolve);
      const failed = () => reject(new Error(`data/${key}.js is missing from this folder`));
      document.head.append(explorer.el("script", { src: `data/${key}.js`, error: failed }));
    });
  };

  const fetched = async (name, given, body) => {
    const query = new URLSearchParams(given).toString();
    const options =
      body === undefined
        ? {}
        : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
    let answer;
    try {
      answer = await fetch(`api/${name}${query ? `?${query}` : ""}`, options);
    } catch {
      throw new Error("The server has ended: start `twotower explore` again and open the address it prints.");
    }
    if (!(answer.headers.get("content-type") || "").startsWith("application/json"))
      throw new Error(await answer.text());
    const value = await answer.json();
    if (!answer.ok) throw new Error(value.error);
    return value;
  };

  const once = (key, make) => {
    if (!kept.has(key))
      kept.set(
        key,
        make().catch((error) => {
          kept.delete(key);
          throw error;
        }),
      );
    return kept.get(key);
  };

  /** A table that comes in one piece: runs, types, documents, emerged, pairs. */
  explorer.whole = (name, run = 0) =>
    once(`${name}-${run}`, () => (explorer.live ? fetched(name, name === "runs" ? {} : { run }) : script(name, run)));

  /** The types of a run, with where each piece stands in the table. A Map: a piece may be called `constructor`. */
  explorer.types = (run, asked = {}) => {
    const filtered = explorer.live && Object.keys(asked).length > 0;
    return once(`indexed-${run}-${filtered ? JSON.stringify(asked) : ""}`, async () => {
      const types = filtered ? await fetched("types", { run, ...asked }) : await explorer.whole("types", run);
      types.place = new Map(types.piece.map((piece, place) => [piece, place]));
      types.placeOfId = new Map(types.piece_id.map((id, place) => [id, place]));
      return types;
    });
  };

  explorer.sentence = (body) => fetched("sentence", {}, body);
  /** `given`: run, query, case. Only documents that pass the filter are looked through. */
  explorer.concordance = ({ run, query, case: capitals }) =>
    explorer.live
      ? fetched("concordance", { run, query, case: capitals ? "1" : "0", ...explorer.filterAsked() })
      : concordanceFromDisk(run, query, capitals);
  explorer.passage = (given) => (explorer.live ? fetched("passage", given) : passageFromDisk(given));

  // From a disk: the same answers out of the exported documents.
  const shard = (run, number) =>
    once(`shard-${run}-${number}`, async () => {
      const documents = await script(`text-${number}`, run);
      for (const text of documents) addPreferences(run, text);
      return documents;
    });

  const addPreferences = (run, text) => {
    const { contrasts, towers, alone } = explorer.runs[run];
    const each = alone.map((head) => text.measures[head]);
    const preferences = {};
    for (const { suffix, tower } of contrasts) {
      preferences[`preference${suffix}`] = text.piece_id.map((_, i) => {
        if (towers === 2) return each[0][i] - each[1][i];
        return each[tower - 1][i] - each.reduce((sum, values) => sum + values[i], 0) / towers;
      });
    }
    text.measures = { ...preferences, ...text.measures };
  };

  const documentOf = async (run, number) => {
    const place = explorer.runs[run].shard_of[number];
    if (place === undefined || place < 0) return null;
    return (await shard(run, place)).find((text) => text.document === number);
  };

  const passageFromDisk = async ({ run, document, start, length }) => {
    const text = await documentOf(run, Number(document));
    if (!text)
      throw new Error("This document is not in this folder, which holds a sample; `twotower explore RUN` shows all.");
    const { piece } = await explorer.whole("pieces", run);
    const cut = (values) => values.slice(start, start + length);
    const measures = Object.fromEntries(Object.entries(text.measures).map(([name, values]) => [name, cut(values)]));
    return {
      document: Number(document),
      start,
      tokens: text.piece_id.length,
      piece_id: cut(text.piece_id),
      piece: cut(text.piece_id).map((id) => piece[id]),
      upos: cut(text.tag).map((tag) => text.tags[tag]),
      ...measures,
    };
  };

  const concordanceFromDisk = async (run, query, capitals) => {
    const summary = explorer.runs[run];
    const [{ piece }, names] = await Promise.all([explorer.whole("pieces", run), explorer.whole("documents", run)]);
    const numbers = Array.from({ length: summary.shards }, (_, number) => number);
    const documents = (await Promise.all(numbers.map((number) => shard(run, number)))).flat();
    const passes = explorer.passes(names);
    const kept = documents.filter(({ document }) => passes[document]).sort((a, b) => a.document - b.document);
    return explorer.findOnDisk(kept, piece, { query, case: capitals, tags: summary.upos });
  };
})();
