"use strict";
// Every type of the held-out text: a table beside a scatter of the towers.
(() => {
  const LABELS = { mean: "preference", standard_error: "s.e.", low: "low", high: "high" };

  const show = async (place, run, given) => {
    const summary = explorer.runs[run], types = await explorer.types(run);
    const preferences = summary.contrasts.map((one) => [one.suffix, one.name]);
    const state = {
      run: run || "", search: given.get("search") || "", pos: given.get("pos") || "", class: given.get("class") || "",
      least: given.get("least") ?? String(summary.frequent), clear: given.get("clear") === "1",
      of: given.get("of") || preferences[0]?.[0] || "", sort: given.get("sort") || (preferences.length ? "mean" : "count"),
      down: given.get("down") ?? "1", zoom: given.get("zoom") || "", plot: given.get("plot") || "towers",
    };
    const keep = () => explorer.remember("words", { ...state, least: state.least, down: state.down });
    const mean = () => types[`mean${state.of}`];
    const column = (name) => types[`${name}${state.of}`];
    const one = summary.towers === 1;

    const columns = [
      { key: "piece", label: "type", title: "A piece of the tokenizer's vocabulary; ## continues a word", width: "9.5em",
        value: (row) => types.piece[row], cell: (row) => explorer.el("a", { href: explorer.link("concordance", { run: run || "", word: types.piece[row] }), title: "concordance" }, explorer.bdi(types.piece[row])) },
      { key: "upos", label: "part of speech", title: "Commonest universal part of speech; _ is a part of longer words", width: "6em", value: (row) => types.upos[row], cell: (row) => types.upos[row] },
      { key: "count", label: "count", title: "Held-out occurrences", number: true, width: "5em", value: (row) => types.count[row], cell: (row) => explorer.count(types.count[row]) },
      ...(one ? [] : ["mean", "low", "high"].map((name) => ({
        key: name, label: LABELS[name], csvLabel: `${name}${state.of} (nats)`, number: true, width: name === "mean" ? "7.5em" : "5em",
        title: name === "mean" ? `Preference in nats: ${preferences.find(([suffix]) => suffix === state.of)[1]}` : `${Math.round(summary.confidence * 100)} % interval over documents; empty for types in one document`,
        value: (row) => column(name)[row],
        cell: (row) => {
          const value = column(name)[row], made = explorer.el("span", { class: name === "mean" ? "swatch" : null }, explorer.signed(value));
          if (name === "mean") made.style.background = explorer.shade("mean", value);
          return made;
        },
      }))),
      ...summary.heads.map((head) => ({
        key: head, label: head === "joint" ? "joint" : `tower ${head.slice(8)}`, csvLabel: `${head} (nats)`, number: true, width: "5.5em",
        title: `Mean log-probability under ${head === "joint" ? "the joint head" : `the readout of tower ${head.slice(8)}`}, in nats`,
        value: (row) => types[head][row], cell: (row) => explorer.plain(types[head][row]),
      })),
      { key: "training_count", label: "in training", number: true, width: "6.5em", title: "Occurrences in the training text", value: (row) => types.training_count[row], cell: (row) => explorer.count(types.training_count[row]) },
      { key: "documents", label: "documents", number: true, width: "6.5em", title: "Held-out documents in which it occurs", value: (row) => types.documents[row], cell: (row) => explorer.count(types.documents[row]) },
    ];
    const table = explorer.table({
      columns, caption: "Types of the held-out text", sorted: { key: state.sort, descending: state.down === "1" },
      onsort: ({ key, descending }) => { state.sort = key; state.down = descending ? "1" : "0"; keep(); },
    });
    const scatter = explorer.scatter({
      name: `${summary.name}-words`, label: "Types by how well each tower predicts them", view: state.zoom ? state.zoom.split(",").map(Number) : null,
      tip: ({ row }) => [
        types.piece[row], `${types.upos[row]} · ${explorer.count(types.count[row])} occurrences`,
        ...summary.heads.map((head) => `${head === "joint" ? "joint" : `tower ${head.slice(8)}`}: ${explorer.plain(types[head][row])} nats`),
        ...(one ? [] : [`preference: ${explorer.signed(mean()[row])} nats (${explorer.signed(column("low")[row])} to ${explorer.signed(column("high")[row])})`]),
      ],
      onpick: ({ row }) => { location.hash = explorer.link("concordance", { run: run || "", word: types.piece[row] }); },
      zoomed: (view) => { state.zoom = view ? view.map((value) => value.toFixed(3)).join(",") : ""; keep(); },
    });
    const told = explorer.el("p", { class: "told", role: "status" });

    const update = () => {
      const wanted = state.search.toLowerCase(), least = Number(state.least) || 0, rows = [];
      const [low, high] = one ? [[], []] : [column("low"), column("high")];
      for (let row = 0; row < types.piece.length; row++) {
        if (types.count[row] < least) continue;
        if (state.pos && types.upos[row] !== state.pos) continue;
        if (state.class && types.word_class[row] !== state.class) continue;
        if (wanted && !types.piece[row].toLowerCase().includes(wanted)) continue;
        if (state.clear && !(low[row] > 0 || high[row] < 0)) continue;
        rows.push(row);
      }
      told.textContent = `${explorer.count(rows.length)} of ${explorer.count(types.piece.length)} types${rows.length ? "" : ": loosen a filter"}${one ? "" : ` · mean preference over all held-out text ${explorer.signed(summary.mean[state.of])} nats`}`;
      table.show(rows);
      const [points, axes] = place_(rows);
      scatter.show(points, axes);
      scatter.mark(wanted ? new Set(rows.filter((row) => types.piece[row].toLowerCase() === wanted)) : null);
      keep();
    };
    const place_ = (rows) => {
      const centre = one ? 0 : summary.mean[state.of] ?? 0;
      const first = types.readout_1, second = types[summary.towers === 2 ? "readout_2" : one ? "joint" : `readout_${state.of.slice(1)}`];
      const rest = (row) => (summary.towers < 3 ? first[row] : summary.heads.slice(1).reduce((sum, head) => sum + types[head][row], 0) / summary.towers);
      const frequency = state.plot === "frequency" && !one;
      const points = rows.map((row) => ({
        row, label: types.piece[row], group: types.word_class[row],
        x: frequency ? Math.log10(types.training_count[row] + 1) : rest(row), y: frequency ? mean()[row] : second[row],
        weight: (one ? 0 : Math.abs(mean()[row] - centre)) * Math.log(types.count[row] + 1),
      }));
      if (frequency) return [points, { x: "occurrences in training (log10)", y: "preference (nats)", zero: "y" }];
      const names = one ? ["tower 1", "joint"] : summary.towers === 2 ? ["tower 1", "tower 2"] : ["mean over towers", `tower ${state.of.slice(1)}`];
      const corners = summary.towers === 2 ? ["better predicted by tower 2", "better predicted by tower 1"] : null;
      return [points, { x: `log-probability, ${names[0]} (nats)`, y: `log-probability, ${names[1]} (nats)`, diagonal: true, corners }];
    };

    let timer = 0;
    const search = explorer.el("input", { type: "search", value: state.search, size: "12", placeholder: "part of a word", input: () => { state.search = search.value; clearTimeout(timer); timer = setTimeout(update, 120); } });
    const least = explorer.el("input", { type: "number", min: "1", value: state.least, size: "5", input: () => { state.least = least.value; clearTimeout(timer); timer = setTimeout(update, 200); } });
    const tags = [...new Set(types.upos)].sort();
    const set = (name) => (value) => { state[name] = value; update(); };
    const classKey = explorer.el("p", { class: "legend" }, ...["function", "content", "other"].map((name) =>
      explorer.el("span", { class: `key ${name}` }, name === "function" ? "■ function words" : name === "content" ? "● content words" : "▲ other, and parts of words")));
    place.append(
      explorer.el("form", { class: "bar", submit: (event) => event.preventDefault() },
        explorer.field("search", search), explorer.field("part of speech", explorer.select([["", "all"], ...tags.map((tag) => [tag, tag === "_" ? "_ (parts of words)" : tag])], state.pos, set("pos"))),
        explorer.field("class", explorer.select([["", "all"], ["function", "function"], ["content", "content"], ["other", "other"]], state.class, set("class"))),
        explorer.field("at least", least, "Held-out occurrences"),
        one ? null : explorer.checkbox("interval excludes 0", state.clear, set("clear"), "Only types whose interval lies on one side of 0"),
        preferences.length > 1 ? explorer.field("preference", explorer.select(preferences, state.of, (value) => { state.of = value; keep(); explorer.render(); })) : null,
        one ? null : explorer.field("plot", explorer.select([["towers", "towers"], ["frequency", "against frequency"]], state.plot, (value) => { state.plot = value; state.zoom = ""; keep(); explorer.render(); }))),
      told,
      explorer.el("div", { class: "pair" },
        explorer.el("section", { "aria-label": "Scatter" }, scatter.place, classKey, explorer.el("p", { class: "tools" }, scatter.controls, " ", scatter.save, " ", explorer.el("small", {}, "Click the figure, then the wheel zooms; more labels appear. Click a point for its concordance."))),
        explorer.el("section", { "aria-label": "Table" }, table.place, explorer.el("p", { class: "tools" }, explorer.csvButton(`${summary.name}-words`, table.csv)))),
    );
    update();
  };

  explorer.views.push({ key: "words", label: "Words", show });
})();
