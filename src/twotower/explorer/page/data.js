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
    const options = body === undefined ? {} : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
    let answer;
    try {
      answer = await fetch(`api/${name}${query ? `?${query}` : ""}`, options);
    } catch {
      throw new Error("The server has ended: start `twotower explore` again and open the address it prints.");
    }
    if (!(answer.headers.get("content-type") || "").startsWith("application/json")) throw new Error(await answer.text());
    const value = await answer.json();
    if (!answer.ok) throw new Error(value.error);
    return value;
  };

  const once = (key, make) => {
    if (!kept.has(key)) kept.set(key, make().catch((error) => { kept.delete(key); throw error; }));
    return kept.get(key);
  };

  /** A table that comes in one piece: runs, types, documents, emerged, pairs. */
  explorer.whole = (name, run = 0) =>
    once(`${name}-${run}`, () => (explorer.live ? fetched(name, name === "runs" ? {} : { run }) : script(name, run)));

  /** The types of a run, with where each piece stands in the table. A Map: a piece may be called `constructor`. */
  explorer.types = (run) =>
    once(`indexed-${run}`, async () => {
      const types = await explorer.whole("types", run);
      types.place = new Map(types.piece.map((piece, place) => [piece, place]));
      types.placeOfId = new Map(types.piece_id.map((id, place) => [id, place]));
      return types;
    });

  explorer.sentence = (body) => fetched("sentence", {}, body);
  explorer.concordance = (given) => (explorer.live ? fetched("concordance", given) : concordanceFromDisk(given));
  explorer.passage = (given) => (explorer.live ? fetched("passage", given) : passageFromDisk(given));

  // From a disk: the same answers out of the exported documents.
  const shard = (run, number) => once(`shard-${run}-${number}`, async () => {
    const documents = await script(`text-${number}`, run);
    for (const one of documents) addPreferences(run, one);
    return documents;
  });

  const addPreferences = (run, one) => {
    const { contrasts, towers } = explorer.runs[run];
    const each = Array.from({ length: towers }, (_, k) => one.measures[`readout_${k + 1}`]);
    const found = {};
    for (const { suffix, tower } of contrasts) {
      found[`preference${suffix}`] = one.piece_id.map((_, i) => {
        if (towers === 2) return each[0][i] - each[1][i];
        return each[tower - 1][i] - each.reduce((sum, values) => sum + values[i], 0) / towers;
      });
    }
    one.measures = { ...found, ...one.measures };
  };

  const documentOf = async (run, number) => {
    const place = explorer.runs[run].shard_of[number];
    if (place === undefined || place < 0) return null;
    return (await shard(run, place)).find((one) => one.document === number);
  };

  const passageFromDisk = async ({ run, document, start, length }) => {
    const one = await documentOf(run, Number(document));
    if (!one) throw new Error("This document is not in this folder, which holds a sample; `twotower explore RUN` shows all.");
    const { piece } = await explorer.whole("pieces", run);
    const cut = (values) => values.slice(start, start + length);
    const measures = Object.fromEntries(Object.entries(one.measures).map(([name, values]) => [name, cut(values)]));
    return {
      document: Number(document), start, tokens: one.piece_id.length, piece_id: cut(one.piece_id),
      piece: cut(one.piece_id).map((id) => piece[id]), upos: cut(one.tag).map((tag) => one.tags[tag]), ...measures,
    };
  };

  const CONTEXT = 14, DEPTH = 4;
  const concordanceFromDisk = async ({ run, piece: wanted, order, descending, upos, offset, limit }) => {
    const summary = explorer.runs[run];
    const { piece, rank } = await explorer.whole("pieces", run);
    const shards = await Promise.all(Array.from({ length: summary.shards }, (_, number) => shard(run, number)));
    const found = [], tags = new Map();
    for (const one of shards.flat()) {
      one.piece_id.forEach((id, position) => {
        if (id !== Number(wanted)) return;
        const tag = one.tags[one.tag[position]];
        tags.set(tag, (tags.get(tag) || 0) + 1);
        if (!upos || tag === upos) found.push({ one, position, tag });
      });
    }
    if (order === "left" || order === "right") {
      const step = order === "left" ? -1 : 1;
      const key = ({ one, position }, distance) => rank[one.piece_id[position + step * distance]] ?? -1;
      found.sort((a, b) => {
        for (let distance = 1; distance <= DEPTH; distance++) {
          const apart = key(a, distance) - key(b, distance);
          if (apart) return apart;
        }
        return 0;
      });
    } else if (order && order !== "document") {
      found.sort((a, b) => a.one.measures[order][a.position] - b.one.measures[order][b.position]);
    }
    if (descending === "1") found.reverse();
    const rows = found.slice(Number(offset), Number(offset) + Number(limit));
    const pieces = (one, from, to) => one.piece_id.slice(Math.max(0, from), to).map((id) => piece[id]);
    return {
      total: found.length, offset: Number(offset), upos: [...tags].sort(([a], [b]) => (a < b ? -1 : 1)),
      document: rows.map(({ one }) => one.document), position: rows.map(({ position }) => position),
      tag: rows.map(({ tag }) => tag),
      left: rows.map(({ one, position }) => pieces(one, position - CONTEXT, position)),
      right: rows.map(({ one, position }) => pieces(one, position + 1, position + 1 + CONTEXT)),
      measures: Object.fromEntries(
        summary.measures.map((name) => [name, rows.map(({ one, position }) => one.measures[name][position])])),
    };
  };
})();
