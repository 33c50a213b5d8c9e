"use strict";
// Held-out passages, each piece coloured by what a head makes of it.
(() => {
  const LENGTH = 400;

  /** A passage as text: pieces are coloured, tell their numbers, and lead to their concordance. */
  explorer.coloured = (run, passage, measure, { at = -1, values = passage[measure] } = {}) => {
    const summary = explorer.runs[run];
    const text = explorer.el("p", {
      class: "passage",
      tabindex: "0",
      "aria-label": "Passage; arrow keys go from piece to piece, Enter opens the concordance",
    });
    const pieces = passage.piece.map((piece, k) => {
      const made = explorer.bdi(explorer.shownPiece(piece), { "data-k": k });
      made.style.background = explorer.shade(measure, values[k]);
      if (k && !explorer.isGlued(passage.piece, k)) text.append(" ");
      text.append(made);
      return made;
    });
    const lines = (k) => [
      `${passage.piece[k]} · ${passage.upos?.[k] ?? ""}`,
      ...summary.measures
        .filter((name) => passage[name])
        .map((name) => `${explorer.measureName(summary, name)}: ${explorer.shown(name, passage[name][k])} nats`),
    ];
    let current = -1;
    const mark = (k, tell = true) => {
      pieces[current]?.classList.remove("current");
      current = k;
      const box = pieces[k]?.getBoundingClientRect();
      pieces[k]?.classList.add("current");
      if (box && tell) explorer.tip(lines(k), box.left, box.bottom);
    };
    /** The piece nearest to the current one on the next line down (1) or up (-1). */
    const onLine = (down) => {
      const boxes = pieces.map((piece) => piece.getBoundingClientRect()),
        from = boxes[current];
      const beyond = (box) => (down > 0 ? box.top - from.bottom : from.top - box.bottom);
      const middle = (box) => box.left + box.width / 2;
      const away = (box) => Math.max(0, beyond(box)) * 1000 + Math.abs(middle(box) - middle(from));
      const near = boxes.map((box, k) => [box, k]).filter(([box]) => beyond(box) > -from.height / 2);
      return near.sort((a, b) => away(a[0]) - away(b[0]))[0]?.[1] ?? current;
    };
    const pick = (k) => {
      explorer.untip();
      location.hash = explorer.link("concordance", { run: run || "", query: `[${passage.piece[k]}]` });
    };
    text.addEventListener("pointermove", (event) => {
      const k = event.target.dataset?.k;
      if (k === undefined) explorer.untip();
      else explorer.tip(lines(Number(k)), event.clientX, event.clientY);
    });
    text.addEventListener("pointerleave", explorer.untip);
    text.addEventListener("blur", explorer.untip);
    text.addEventListener("click", (event) => {
      if (event.target.dataset?.k !== undefined) pick(Number(event.target.dataset.k));
    });
    text.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key],
        down = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step || down) {
        event.preventDefault();
        mark(step || current < 0 ? Math.min(pieces.length - 1, Math.max(0, current + (step ?? 1))) : onLine(down));
      }
      if (event.key === "Enter" && current >= 0) pick(current);
      if (event.key === "Escape") explorer.untip();
    });
    if (at >= 0) mark(at, false);
    return { text, shown: () => pieces[at]?.scrollIntoView({ block: "center" }) };
  };

  const show = async (place, run, given) => {
    const summary = explorer.runs[run],
      documents = await explorer.whole("documents", run);
    const held = (number) => explorer.live || summary.shard_of[number] >= 0;
    const passes = explorer.passes(documents);
    const listed = documents.name.map((_, number) => number).filter((number) => held(number) && passes[number]);
    const first = listed[0] ?? 0;
    const state = {
      run: run || "",
      document: given.has("document") ? Number(given.get("document")) || 0 : first,
      start: Number(given.get("start")) || 0,
      at: given.get("at") ?? "",
      by: summary.measures.includes(given.get("by")) ? given.get("by") : summary.measures[0],
    };
    if (state.at !== "" && !given.has("start"))
      state.start = Math.max(0, Math.floor(Number(state.at) / LENGTH) * LENGTH);
    const keep = () => explorer.remember("text", state);
    const [title, legend, body, pages] = [
      explorer.el("h2"),
      explorer.el("div"),
      explorer.el("div"),
      explorer.el("p", { class: "tools" }),
    ];
    let passage = null;

    const draw = () => {
      legend.replaceChildren(explorer.legend(summary, state.by));
      const { text, shown } = explorer.coloured(run, passage, state.by, {
        at: state.at === "" ? -1 : Number(state.at) - passage.start,
      });
      body.replaceChildren(text);
      shown();
    };
    const update = async () => {
      keep();
      title.replaceChildren(explorer.bdi(documents.name[state.document] ?? "no such document"));
      try {
        passage = await explorer.passage({ run, document: state.document, start: state.start, length: LENGTH });
      } catch (error) {
        passage = null;
        body.replaceChildren(explorer.failure(error));
        pages.replaceChildren();
        return;
      }
      draw();
      const last = Math.min(state.start + LENGTH, passage.tokens);
      const turn = (start) => {
        state.start = start;
        state.at = "";
        update();
      };
      pages.replaceChildren(
        explorer.el(
          "button",
          { type: "button", disabled: state.start === 0, click: () => turn(Math.max(0, state.start - LENGTH)) },
          "previous",
        ),
        ` tokens ${explorer.count(state.start + 1)} to ${explorer.count(last)} of ${explorer.count(passage.tokens)} `,
        explorer.el(
          "button",
          { type: "button", disabled: last >= passage.tokens, click: () => turn(state.start + LENGTH) },
          "next",
        ),
        " ",
        explorer.csvButton(`${summary.name}-passage`, () => [
          ["position", "type", "word class", ...summary.measures.map((name) => `${name} (nats)`)],
          passage.piece.map((piece, k) => [
            passage.start + k,
            piece,
            passage.upos[k],
            ...summary.measures.map((name) => passage[name][k]),
          ]),
        ]),
      );
    };

    const preferences = summary.contrasts.map(({ suffix, name }) => ({
      key: `preference${suffix}`,
      label: suffix ? explorer.sideOf(summary, suffix) : "preference",
      csvLabel: `preference${suffix} (nats)`,
      title: `Mean of ${name} over the document, in nats`,
      number: true,
      width: "7em",
      value: (row) => documents[`preference${suffix}`][row],
      cell: (row) => explorer.swatch("preference", documents[`preference${suffix}`][row]),
    }));
    const table = explorer.table({
      caption: "Documents",
      sorted: { key: "number", descending: false },
      height: 560,
      columns: [
        ...explorer.documentColumns(documents, run, () => state.by),
        {
          key: "tokens",
          label: "tokens",
          number: true,
          width: "5em",
          value: (row) => documents.tokens[row],
          cell: (row) => explorer.count(documents.tokens[row]),
        },
        ...preferences,
      ],
    });
    place.append(
      explorer.el(
        "div",
        { class: "pair wide" },
        explorer.el(
          "section",
          { "aria-label": "Passage" },
          explorer.el(
            "form",
            { class: "bar", submit: (event) => event.preventDefault() },
            explorer.field(
              "colour by",
              explorer.select(
                summary.measures.map((name) => [name, explorer.measureName(summary, name)]),
                state.by,
                (value) => {
                  state.by = value;
                  keep();
                  if (passage) draw();
                },
              ),
            ),
          ),
          title,
          legend,
          body,
          pages,
        ),
        explorer.el(
          "section",
          { class: "narrow", "aria-label": "Documents" },
          table.place,
          explorer.el("p", { class: "tools" }, explorer.csvButton(`${summary.name}-documents`, table.csv)),
        ),
      ),
    );
    table.show(listed);
    table.reveal(state.document);
    if (!explorer.live)
      place.append(
        explorer.el(
          "p",
          { class: "told" },
          "A sentence of your own needs the model: run ",
          explorer.el("code", {}, "twotower explore"),
          " on the run itself.",
        ),
      );
    await update();
  };

  explorer.views.push({ key: "text", label: "Text", show, filtered: true });
})();
