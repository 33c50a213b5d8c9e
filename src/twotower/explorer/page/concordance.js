"use strict";
// The occurrences of a type in context (KWIC).
(() => {
  const PAGE = 100;

  const show = async (place, run, given) => {
    const summary = explorer.runs[run], types = await explorer.types(run);
    const most = types.count.reduce((best, count, row) => (types.upos[row] !== "_" && types.upos[row] !== "PUNCT" && count > (types.count[best] ?? -1) ? row : best), 0);
    const state = {
      run: run || "", word: given.get("word") ?? types.piece[most] ?? "", order: given.get("order") || "document",
      down: given.get("down") || "", pos: given.get("pos") || "", from: Number(given.get("from")) || 0,
      by: summary.measures.includes(given.get("by")) ? given.get("by") : summary.measures[0],
    };
    const keep = () => explorer.remember("concordance", state);
    const [told, lines, pages, legend] = [explorer.el("p", { class: "told", role: "status" }), explorer.el("div", { class: "kwic" }), explorer.el("p", { class: "tools" }), explorer.el("div")];
    let answer = null, turn = 0;

    const ask = (from, limit) => {
      const row = types.place.get(state.word);
      return explorer.concordance({
        run, piece: types.piece_id[row], order: state.order, descending: state.down ? "1" : "0", upos: state.pos, offset: from, limit,
      });
    };
    const update = async (from = 0) => {
      state.from = from;
      keep();
      const row = types.place.get(state.word), mine = ++turn;
      legend.replaceChildren(explorer.legend(summary, state.by));
      if (row === undefined) {
        answer = null;
        lines.replaceChildren(); pages.replaceChildren();
        const near = state.word ? types.piece.filter((piece) => piece.includes(state.word)).slice(0, 12) : [];
        told.replaceChildren(`“${state.word}” is no type of the held-out text. `, ...(near.length ? ["Types that contain it: ", ...near.flatMap((piece) => [explorer.el("a", { href: explorer.link("concordance", { run: run || "", word: piece }) }, explorer.bdi(piece)), " "])] : ["A longer word may be several pieces; search in Words."]));
        return;
      }
      told.textContent = "…";
      const found = await ask(from, PAGE);
      if (mine !== turn) return;
      answer = found;
      draw(row);
    };
    const draw = (row) => {
      const usual = summary.contrasts.map(({ suffix, name }) => `${name}: ${explorer.signed(types[`mean${suffix}`][row])} nats (${explorer.signed(types[`low${suffix}`][row])} to ${explorer.signed(types[`high${suffix}`][row])})`);
      told.replaceChildren(explorer.bdi(state.word), ` · ${types.upos[row]} · ${explorer.count(answer.total)} held-out occurrence${answer.total === 1 ? "" : "s"}${usual.length ? ` · preference, ${usual.join("; ")}` : ""} `,
        explorer.el("a", { href: explorer.link("training", { run: run || "", words: state.word }) }, "as it emerged"));
      const tags = pos.value;
      pos.replaceChildren(explorer.el("option", { value: "" }, "all"), ...answer.upos.map(([tag, count]) => explorer.el("option", { value: tag, selected: tag === tags || tag === state.pos }, `${tag} (${count})`)));
      pos.value = state.pos;
      lines.replaceChildren(...answer.document.map((document, k) => line(document, k)));
      const last = Math.min(state.from + PAGE, answer.total);
      pages.replaceChildren(
        explorer.el("button", { type: "button", disabled: state.from === 0, click: () => update(Math.max(0, state.from - PAGE)) }, "previous"),
        ` ${answer.total ? explorer.count(state.from + 1) : 0} to ${explorer.count(last)} of ${explorer.count(answer.total)} `,
        explorer.el("button", { type: "button", disabled: last >= answer.total, click: () => update(state.from + PAGE) }, "next"), " ",
        explorer.el("button", { type: "button", class: "save", click: save }, "CSV"));
    };
    const side = (pieces, before) => pieces.map((piece, k) => (explorer.glued(piece, k ? pieces[k - 1] : before) || (!k && before === undefined) ? "" : " ") + explorer.shownPiece(piece)).join("");
    /** The parts of longer words that the type stands in go with it, not with its context. */
    const parted = (left, right) => {
      let from = left.length, to = 0, inside = state.word.startsWith("##");
      while (inside && from > 0) { from--; inside = left[from].startsWith("##"); }
      while (to < right.length && right[to].startsWith("##")) to++;
      return { left: left.slice(0, from), before: left.slice(from), after: right.slice(0, to), right: right.slice(to) };
    };
    const line = (document, k) => {
      const parts = parted(answer.left[k], answer.right[k]);
      const value = answer.measures[state.by][k];
      const key = explorer.el("a", { class: "key", href: explorer.link("text", { run: run || "", document, at: answer.position[k], by: state.by }) }, explorer.bdi(explorer.shownPiece(state.word)));
      key.style.background = explorer.shade(state.by, value);
      const part = (pieces) => (pieces.length ? explorer.bdi(pieces.map(explorer.shownPiece).join(""), { class: "part" }) : null);
      const tip = (event) => explorer.tip([
        explorer.documentNames?.[run]?.[document] ?? `document ${document + 1}`, `token ${answer.position[k] + 1} · ${answer.tag[k]}`,
        ...summary.measures.map((name) => `${explorer.measureName(summary, name)}: ${explorer.isPreference(name) ? explorer.signed(answer.measures[name][k]) : explorer.plain(answer.measures[name][k])} nats`),
      ], event.clientX ?? key.getBoundingClientRect().left, event.clientY ?? key.getBoundingClientRect().bottom);
      key.addEventListener("pointermove", tip);
      key.addEventListener("focus", tip);
      key.addEventListener("pointerleave", explorer.untip);
      key.addEventListener("blur", explorer.untip);
      return explorer.el("div", { class: "line" },
        explorer.el("span", { class: "left" }, explorer.bdi(side(parts.left))),
        explorer.el("span", { class: "middle" }, part(parts.before), key, part(parts.after)),
        explorer.el("span", { class: "right" }, explorer.bdi(side(parts.right, state.word))),
        explorer.el("span", { class: "number" }, explorer.isPreference(state.by) ? explorer.signed(value) : explorer.plain(value)));
    };
    const save = async () => {
      const rows = [], names = (await explorer.whole("documents", run)).name;
      for (let from = 0; from < answer.total; from += 500) {
        const part = await ask(from, 500);
        part.document.forEach((document, k) => rows.push([
          names[document], part.position[k], part.tag[k], side(part.left[k]), state.word, side(part.right[k], state.word), ...summary.measures.map((name) => part.measures[name][k]),
        ]));
      }
      const header = ["document", "position", "part of speech", "left", "type", "right", ...summary.measures.map((name) => `${name} (nats)`)];
      explorer.download(`${summary.name}-concordance.csv`, "text/csv;charset=utf-8", "\ufeff" + explorer.csv(header, rows));
    };

    const list = explorer.el("datalist", { id: "known-types" }, [...types.piece.keys()].sort((a, b) => types.count[b] - types.count[a]).slice(0, 300).map((row) => explorer.el("option", { value: types.piece[row] })));
    const word = explorer.el("input", { type: "search", value: state.word, list: "known-types", size: "16", autocomplete: "off" });
    const pos = explorer.select([["", "all"], ...(state.pos ? [[state.pos, state.pos]] : [])], state.pos, (value) => { state.pos = value; update(); });
    const orders = [["document", "document"], ["left", "left context"], ["right", "right context"], ...summary.measures.map((name) => [name, explorer.measureName(summary, name)])];
    place.append(
      explorer.el("form", { class: "bar", submit: (event) => { event.preventDefault(); state.word = word.value.trim(); state.pos = ""; update(); } },
        explorer.field("type", word, "A piece of the vocabulary, as the Words view lists them"), list, explorer.el("button", {}, "show"),
        explorer.field("sort by", explorer.select(orders, state.order, (value) => { state.order = value; update(); })),
        explorer.checkbox("descending", Boolean(state.down), (value) => { state.down = value ? "1" : ""; update(); }),
        explorer.field("part of speech", pos),
        explorer.field("colour", explorer.select(summary.measures.map((name) => [name, explorer.measureName(summary, name)]), state.by, (value) => { state.by = value; update(state.from); }))),
      told, legend, lines, pages);
    explorer.documentNames ??= [];
    explorer.documentNames[run] ??= (await explorer.whole("documents", run)).name;
    await update(state.from);
  };

  explorer.views.push({ key: "concordance", label: "Concordance", show });
})();
