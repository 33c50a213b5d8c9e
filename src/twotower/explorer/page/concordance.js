"use strict";
// Words, phrases and classes in context (KWIC), with their collocates, a sketch, and where in the corpus they stand.
(() => {
  const PAGE = 100;
  const PANELS = [
    ["lines", "Lines"],
    ["collocates", "Collocates"],
    ["sketch", "Word sketch"],
    ["spread", "Dispersion"],
  ];
  const HELP =
    "A word, a phrase (united states), a beginning (stat*), a class (VERB, the NOUN, like_VERB), " +
    "/a regular expression/, or [a type] of the vocabulary";

  const { swatch, shown, joined } = explorer;

  const show = async (place, run, given) => {
    const summary = explorer.runs[run];
    const [types, documents] = await Promise.all([explorer.types(run), explorer.whole("documents", run)]);
    const passes = explorer.passes(documents),
      periods = explorer.periods(documents);
    const most = types.count.reduce(
      (best, count, row) =>
        /^(NOUN|PROPN)$/.test(types.upos[row]) && count > (types.count[best] ?? -1) ? row : best,
      -1,
    );
    const state = {
      run: run || "",
      query: given.get("query") ?? types.piece[most] ?? types.piece[0] ?? "",
      case: given.get("case") === "1" ? "1" : "",
      order: given.get("order") || "document",
      down: given.get("down") || "",
      panel: given.get("panel") || "lines",
      from: Number(given.get("from")) || 0,
      span: given.get("span") || "5",
      by: summary.measures.includes(given.get("by")) ? given.get("by") : summary.measures[0],
    };
    const measure = state.by,
      sets = explorer.setsOf(summary, measure);
    const keep = () => explorer.remember("concordance", state);
    const [told, panel, tabs] = ["div", "div", "p"].map((tag) => explorer.el(tag));
    told.className = "told";
    told.setAttribute("role", "status");
    tabs.className = "chips";
    let answer = null,
      turn = 0;
    const link = (changed) => explorer.link("concordance", { ...state, from: "", ...changed });

    const update = async () => {
      keep();
      const mine = ++turn;
      told.textContent = "…";
      try {
        const found = await explorer.concordance({ run, query: state.query, case: state.case });
        if (mine !== turn) return;
        answer = found;
      } catch (error) {
        if (mine !== turn) return;
        answer = null;
        panel.replaceChildren();
        tabs.replaceChildren();
        told.replaceChildren(explorer.failure(error));
        return;
      }
      summarize();
      draw();
    };
    const summarize = () => {
      const { total } = answer,
        values = answer.measures[measure];
      if (!total) {
        const letters = state.query.replace(/[^\p{L}\p{N}]/gu, "").toLowerCase();
        const isExpression = /^\/.*\/$/.test(state.query),
          like = isExpression ? "" : letters;
        const isNear = (piece) => like.length > 1 && piece.toLowerCase().includes(like);
        const near = types.piece.filter(isNear).slice(0, 12);
        told.replaceChildren(
          explorer.bdi(`“${state.query}”`),
          " is nowhere in these documents. ",
          ...(near.length
            ? [
                "Types that contain it: ",
                ...near.flatMap((piece) => [
                  explorer.el("a", { href: link({ query: `[${piece}]` }) }, explorer.bdi(piece)),
                  " ",
                ]),
              ]
            : [isExpression ? "It is sought in the text as the lines show it." : "Try a beginning, such as stat*."]),
        );
        return;
      }
      const part =
        values.length < total ? `, of which ${explorer.count(values.length)}, evenly spread, are shown` : "";
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const { dp, documents: several, of } = explorer.dispersion(answer, documents.tokens, passes);
      told.replaceChildren(
        explorer.bdi(state.query),
        ` · ${explorer.count(total)} hit${total === 1 ? "" : "s"}${part} · `,
        `${explorer.count(Math.round((1e6 * total) / answer.tokens))} per million words · `,
        `in ${explorer.count(several)} of `,
        `${explorer.count(of)} documents (DP ${explorer.plain(dp)}) · ${explorer.measureName(summary, measure)}, `,
        "mean of hits: ",
        swatch(measure, mean, `${shown(measure, mean)} nats`),
      );
    };
    const draw = () => {
      keep();
      tabs.replaceChildren(
        ...PANELS.map(([key, label]) =>
          explorer.el(
            "button",
            {
              type: "button",
              "aria-pressed": String(state.panel === key),
              click: () => {
                state.panel = key;
                state.from = 0;
                draw();
              },
            },
            label,
          ),
        ),
        " ",
        saveLink(),
      );
      panel.replaceChildren();
      tabs.hidden = !answer.total;
      if (!answer.total) return;
      if (explorer.panels[state.panel]) {
        const shared = { answer, documents, passes, periods, state, summary, link, draw, run };
        panel.append(...explorer.panels[state.panel](shared));
      } else lines();
    };
    const saveLink = () =>
      explorer.el(
        "button",
        {
          type: "button",
          class: "save",
          click: (event) => {
            const box = explorer.el("input", {
              readonly: true,
              value: location.href,
              size: 40,
              "aria-label": "address",
            });
            event.target.replaceWith(box);
            box.select();
            navigator.clipboard?.writeText(location.href).catch(() => {
              /* then it is selected, to be copied by hand */
            });
          },
        },
        "link to this",
      );

    // Lines
    const marked = (words, side, key) => {
      const made = explorer.el("bdi"),
        all = side === "left" ? [...words, key] : [key, ...words],
        first = side === "left" ? 0 : 1;
      const [keyed, from] = explorer.orders[state.order] ?? [];
      words.forEach((word, k) => {
        const distance = side === "left" ? words.length - k : k + 1;
        if (k + first && !explorer.isGlued(all, k + first)) made.append(" ");
        const level = keyed === side && distance >= from && distance < from + 3 ? distance - from + 1 : 0;
        made.append(level ? explorer.el("span", { class: `sort${level}` }, word) : word);
      });
      return made;
    };
    const line = (hit) => {
      const value = answer.measures[measure][hit],
        key = answer.word[answer.key[hit]].split(" ");
      const text = (side) => explorer.beside(answer, side, hit).map((word) => answer.word[word]);
      const part = (side) => (answer[side]?.[hit] ? explorer.bdi(answer[side][hit], { class: "part" }) : null);
      const made = explorer.el(
        "a",
        {
          class: state.order === "hit" ? "key sort1" : "key",
          href: explorer.link("text", {
            run: run || "",
            document: answer.document[hit],
            at: answer.position[hit],
            by: state.by,
          }),
        },
        explorer.bdi(joined(key)),
      );
      made.style.background = explorer.shade(measure, value);
      const tip = (event) =>
        explorer.tip(
          [
            `${documents.name[answer.document[hit]]}, token ${answer.position[hit] + 1} · ${answer.tag[hit]}`,
            ...summary.measures.map(
              (name) => `${explorer.measureName(summary, name)}: ${shown(name, answer.measures[name][hit])} nats`,
            ),
          ],
          made.getBoundingClientRect().right, // beside the hits of the lines below, not over them
          made.getBoundingClientRect().top,
        );
      for (const event of ["pointermove", "focus"]) made.addEventListener(event, tip);
      for (const event of ["pointerleave", "blur"]) made.addEventListener(event, explorer.untip);
      const name = documents.name[answer.document[hit]];
      return explorer.el(
        "div",
        { class: "line" },
        explorer.el(
          "span",
          { class: `source${state.order === "document" ? " sort1" : ""}`, title: name },
          explorer.bdi(name),
        ),
        explorer.el("span", { class: "left" }, marked(text("left").reverse(), "left", key[0])),
        explorer.el("span", { class: "middle" }, part("before"), made, part("after")),
        explorer.el("span", { class: "right" }, marked(text("right"), "right", key.at(-1))),
        explorer.el("span", { class: `number${state.order === measure ? " sort1" : ""}` }, shown(measure, value)),
        explorer.el(
          "span",
          { class: "number sets" },
          explorer.range(sets.map((name_) => answer.measures[name_][hit])),
        ),
      );
    };
    const lines = () => {
      const ordered = explorer.sortHits(answer, state.order, Boolean(state.down));
      state.from = Math.min(state.from, Math.floor((ordered.length - 1) / PAGE) * PAGE);
      const last = Math.min(state.from + PAGE, ordered.length);
      const turnTo = (from) => {
        state.from = Math.max(0, from);
        draw();
      };
      const head = explorer.el(
        "div",
        { class: "line head" },
        ...[
          "document",
          "",
          explorer.el("span", { class: "middle" }, "hit"),
          "",
          "nats",
          sets.length ? "readouts" : "",
        ].map((text) => explorer.el("span", {}, text)),
      );
      panel.append(
        explorer.el("div", { class: "kwic" }, head, ordered.slice(state.from, last).map(line)),
        explorer.el(
          "p",
          { class: "tools" },
          explorer.el(
            "button",
            { type: "button", disabled: state.from === 0, click: () => turnTo(state.from - PAGE) },
            "previous",
          ),
          ` ${explorer.count(state.from + 1)} to ${explorer.count(last)} of ${explorer.count(ordered.length)} `,
          explorer.el(
            "button",
            { type: "button", disabled: last >= ordered.length, click: () => turnTo(state.from + PAGE) },
            "next",
          ),
          " ",
          explorer.csvButton(`${summary.name}-concordance`, () => csv(ordered)),
        ),
      );
    };
    const csv = (ordered) => [
      [
        "document",
        "year",
        "position",
        "word class",
        "left",
        "hit",
        "right",
        ...summary.measures.map((name) => `${name} (nats)`),
      ],
      ordered.map((hit) => {
        const text = (side) => explorer.beside(answer, side, hit).map((word) => answer.word[word]);
        const middle = joined(answer.word[answer.key[hit]].split(" "));
        const key = `${answer.before?.[hit] ?? ""}${middle}${answer.after?.[hit] ?? ""}`;
        const number = answer.document[hit];
        return [
          documents.name[number],
          documents.year[number],
          answer.position[hit],
          answer.tag[hit],
          joined(text("left").reverse()),
          key,
          joined(text("right")),
          ...summary.measures.map((name) => answer.measures[name][hit]),
        ];
      }),
    ];

    const often = [...types.piece.keys()]
      .filter((row) => types.upos[row] !== "_")
      .sort((a, b) => types.count[b] - types.count[a]);
    const list = explorer.el(
      "datalist",
      { id: "known-types" },
      often.slice(0, 300).map((row) => explorer.el("option", { value: types.piece[row] })),
    );
    const query = explorer.el("input", {
      type: "search",
      name: "query",
      value: state.query,
      list: "known-types",
      size: 24,
      maxlength: 200,
      autocomplete: "off",
      spellcheck: "false",
    });
    const names = summary.measures.map((name) => [name, explorer.measureName(summary, name)]);
    const orders = [
      ["document", "document"],
      ["1L", "1L: word before"],
      ["2L", "2L: second before"],
      ["hit", "the hit itself"],
      ["1R", "1R: word after"],
      ["2R", "2R: second after"],
      ...names,
    ];
    place.append(
      explorer.el(
        "form",
        {
          class: "bar",
          submit: (event) => {
            event.preventDefault();
            state.query = query.value;
            state.from = 0;
            update();
          },
        },
        explorer.field("look for", query, HELP),
        list,
        explorer.el("button", {}, "show"),
        explorer.checkbox(
          "match case",
          Boolean(state.case),
          (value) => {
            state.case = value ? "1" : "";
            update();
          },
          "Of use where the run keeps capitals",
        ),
        explorer.field(
          "sort by",
          explorer.select(orders, state.order, (value) => {
            state.order = value;
            if (answer) draw();
          }),
        ),
        explorer.checkbox("descending", Boolean(state.down), (value) => {
          state.down = value ? "1" : "";
          if (answer) draw();
        }),
        explorer.field(
          "colour",
          explorer.select(names, state.by, (value) => {
            state.by = value;
            keep();
            explorer.render();
          }),
        ),
      ),
      explorer.el("p", { class: "told" }, `${HELP}.`),
      told,
      explorer.legend(summary, state.by),
      tabs,
      panel,
    );
    await update();
  };

  explorer.views.push({ key: "concordance", label: "Concordance", show, filtered: true });
})();
