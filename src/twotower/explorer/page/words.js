"use strict";
// Every type of the text: a table beside a plot of what the towers, or the models, make of it.
(() => {
  const show = async (place, run, given) => {
    const summary = explorer.runs[run],
      types = await explorer.types(run, explorer.filterAsked());
    const preferences = summary.contrasts.map((contrast) => [contrast.suffix, contrast.name]);
    const single = summary.towers === 1;
    const state = {
      run: run || "",
      search: given.get("search") || "",
      pos: given.get("pos") || "",
      class: given.get("class") || "",
      least: given.get("least") ?? String(summary.frequent),
      kind: given.get("kind") ?? (!types.upos.some((tag) => tag !== "_") ? "all" : single ? "words" : "robust"),
      of: given.get("of") || preferences[0]?.[0] || "",
      sort: given.get("sort") || (single ? "count" : "size"),
      down: given.get("down") ?? "1",
      zoom: given.get("zoom") || "",
      plot: given.get("plot") || (single ? "towers" : "frequency"),
    };
    const keep = () => explorer.remember("words", { ...state });
    const column = (name) => types[`${name}${state.of}`],
      mean = () => column("mean");
    const sets = summary.set_columns.map(column).filter(Boolean);
    const contrast = summary.contrasts.find(({ suffix }) => suffix === state.of) ?? summary.contrasts[0];
    const called = (row) =>
      types.upos[row] === "_" ? "part of a word" : (summary.class_names[types.upos[row]] ?? types.upos[row]);
    const plain = (row) =>
      !/^(_|NUM|SYM|PUNCT|X)$/.test(types.upos[row]) && /^[\p{L}\p{M}]+(['-][\p{L}\p{M}]+)*$/u.test(types.piece[row]);

    /** The means of all frequent types, under all sets of readouts together and under each: the report's centre. */
    const frequent = [...types.piece.keys()].filter((row) => types.count[row] >= summary.frequent);
    const centreOf = (values) =>
      frequent.length ? frequent.reduce((sum, row) => sum + (values[row] ?? 0), 0) / frequent.length : 0;
    const centre = single ? 0 : centreOf(mean()),
      centres = sets.map(centreOf);
    /** A whole word whose interval leaves the centre out, on the same side under every set of readouts. */
    const robust = (row) => {
      const side = Math.sign(mean()[row] - centre);
      const clear =
        side > 0 ? column("low")[row] > centre : column("high")[row] !== null && column("high")[row] < centre;
      return (
        plain(row) &&
        column("low")[row] !== null &&
        clear &&
        sets.every((values, k) => side * (values[row] - centres[k]) > 0)
      );
    };
    const KINDS = {
      robust: ["robust whole words", robust],
      words: ["whole words", plain],
      parts: ["parts of words", (row) => types.upos[row] === "_"],
      all: ["all types", () => true],
    };
    if (!KINDS[state.kind] || (single && state.kind === "robust")) state.kind = "all";

    const number = (key, label, title, width, values, cell, csvLabel) => ({
      key,
      label,
      title,
      width,
      number: true,
      csvLabel,
      value: values,
      cell: (row) => cell(values(row)),
    });
    const towers = summary.towers === 2 ? summary.sides : [summary.sides[(contrast?.tower ?? 1) - 1], "the others"];
    const over = summary.models ? "documents" : "documents and readouts";
    const seen = types.training_count ?? types.count;
    const columns = [
      {
        key: "piece",
        label: "type",
        title: "An entry of the tokenizer's vocabulary; ## continues a word",
        width: "9em",
        value: (row) => types.piece[row],
        cell: (row) =>
          explorer.el(
            "a",
            {
              title: "concordance",
              href: explorer.link("concordance", { run: run || "", query: `[${types.piece[row]}]` }),
            },
            explorer.bdi(types.piece[row]),
          ),
      },
      {
        key: "upos",
        label: "word class",
        title: "The commonest of the type",
        width: "9em",
        value: called,
        cell: called,
      },
      number("count", "count", "Occurrences in this text", "5em", (row) => types.count[row], explorer.count),
      ...(single
        ? []
        : [
            number(
              "mean",
              "preference",
              `In nats: ${contrast.name}${summary.models ? "" : "; mean over sets of readouts"}`,
              "7em",
              (row) => mean()[row],
              (value) => explorer.swatch("mean", value),
              `mean${state.of} (nats)`,
            ),
            {
              key: "size",
              label: "from mean",
              csvLabel: "distance from the mean of all (nats)",
              number: true,
              width: "6.5em",
              title: "How far the preference is from the mean of all frequent types, whichever way, in nats",
              value: (row) => Math.abs(mean()[row] - centre),
              cell: (row) => explorer.plain(Math.abs(mean()[row] - centre)),
            },
            ...["low", "high"].map((name) =>
              number(
                name,
                name,
                `${Math.round(summary.confidence * 100)} % ` +
                  `interval over ${over}; empty for types in one document`,
                "5em",
                (row) => column(name)[row],
                explorer.signed,
                `${name}${state.of} (nats)`,
              ),
            ),
            ...sets.map((values, k) =>
              number(
                `set${k + 1}`,
                `set ${k + 1}`,
                "The preference under this set of readouts alone, in nats",
                "5em",
                (row) => values[row],
                explorer.signed,
                `set ${k + 1} (nats)`,
              ),
            ),
          ]),
      ...summary.heads.map((head) =>
        number(
          head,
          summary.head_names[head],
          `Mean log-probability under ${summary.head_names[head]}${head === "joint" ? "" : " alone"}, in nats`,
          "5.5em",
          (row) => types[head][row],
          explorer.plain,
          `${head} (nats)`,
        ),
      ),
      ...(types.training_count
        ? [
            number(
              "training_count",
              "in training",
              "Occurrences in the training text",
              "6.5em",
              (row) => types.training_count[row],
              explorer.count,
            ),
          ]
        : []),
      number(
        "documents",
        "documents",
        "Documents in which it occurs",
        "6.5em",
        (row) => types.documents[row],
        explorer.count,
      ),
    ];
    const table = explorer.table({
      columns,
      caption: "Types of the text",
      sorted: { key: state.sort, descending: state.down === "1" },
      onsort: ({ key, descending }) => {
        state.sort = key;
        state.down = descending ? "1" : "0";
        keep();
      },
    });
    const scatter = explorer.scatter({
      name: `${summary.name}-words`,
      label:
        state.plot === "frequency"
          ? "Preference of types against their frequency"
          : "Types by how well each predicts them",
      view: state.zoom ? state.zoom.split(",").map(Number) : null,
      tip: ({ row }) => [
        types.piece[row],
        `${called(row)} · ${explorer.count(types.count[row])} occurrences`,
        ...summary.heads.map((head) => `${summary.head_names[head]}: ${explorer.plain(types[head][row])} nats`),
        ...(single
          ? []
          : [
              `preference: ${explorer.signed(mean()[row])} nats (${explorer.signed(column("low")[row])} to ` +
                `${explorer.signed(column("high")[row])})`,
              ...(sets.length
                ? [`sets of readouts: ${sets.map((values) => explorer.signed(values[row])).join(", ")}`]
                : []),
            ]),
      ],
      onpick: ({ row }) => {
        location.hash = explorer.link("concordance", { run: run || "", query: `[${types.piece[row]}]` });
      },
      zoomed: (view) => {
        state.zoom = view ? view.map((value) => value.toFixed(3)).join(",") : "";
        keep();
      },
    });
    const told = explorer.el("p", { class: "told", role: "status" });
    const bySide = () => state.plot === "frequency" && !single;

    const update = () => {
      const wanted = state.search.toLowerCase(),
        least = Number(state.least) || 0,
        passes = KINDS[state.kind][1];
      const rows = [...types.piece.keys()].filter(
        (row) =>
          types.count[row] >= least &&
          (!state.pos || types.upos[row] === state.pos) &&
          passes(row) &&
          (!state.class || types.word_class[row] === state.class) &&
          (!wanted || types.piece[row].toLowerCase().includes(wanted)),
      );
      told.textContent =
        `${explorer.count(rows.length)} of ${explorer.count(types.piece.length)} types` +
        (rows.length
          ? ""
          : state.kind === "robust"
            ? ": no whole word is sure; show all types"
            : ": loosen a filter") +
        (single ? "" : ` · mean preference of frequent types ${explorer.signed(centre)} nats`);
      table.show(rows);
      const [points, axes] = bySide() ? byFrequency(rows) : byTower(rows);
      scatter.show(points, axes);
      scatter.mark(wanted ? new Set(rows.filter((row) => types.piece[row].toLowerCase() === wanted)) : null);
      keep();
    };
    const point = (row, x, y) => ({
      row,
      x,
      y,
      label: types.piece[row],
      group: types.word_class[row],
      weight: (single ? 0 : Math.abs(mean()[row] - centre)) * Math.log(types.count[row] + 1),
    });
    const byFrequency = (rows) => [
      rows.map((row) => ({
        ...point(row, Math.log10(seen[row] + 1), mean()[row]),
        color: mean()[row] > centre ? "blue" : "orange",
      })),
      {
        x: `occurrences in ${types.training_count ? "the training" : "this"} text`,
        counts: true,
        y: `preference (nats): + ${towers[0]}, − ${towers[1]}`,
        zero: "y",
        at: centre,
      },
    ];
    const byTower = (rows) => {
      const place = summary.towers === 2 ? 1 : Number(state.of.slice(1)) - 1;
      const second = types[single ? summary.heads[0] : summary.alone[place]];
      const first = (row) =>
        summary.towers < 3
          ? types[summary.alone[0]][row]
          : summary.alone.reduce((sum, head) => sum + types[head][row], 0) / summary.towers;
      const names = single
        ? [summary.sides[0], "joint head"]
        : summary.towers === 2
          ? summary.sides
          : ["mean of all", explorer.sideOf(summary, state.of)];
      const [left, right] = summary.sides;
      const corners = summary.towers === 2 ? [`better predicted by ${right}`, `better predicted by ${left}`] : null;
      return [
        rows.map((row) => point(row, first(row), second[row])),
        {
          x: `log-probability, ${names[0]} (nats)`,
          y: `log-probability, ${names[1]} (nats)`,
          diagonal: true,
          corners,
        },
      ];
    };

    let timer = 0;
    const later = (change) => () => {
      change();
      clearTimeout(timer);
      timer = setTimeout(update, 150);
    };
    const search = explorer.el("input", {
      type: "search",
      name: "search",
      value: state.search,
      size: "12",
      placeholder: "part of a word",
      input: later(() => {
        state.search = search.value;
      }),
    });
    const least = explorer.el("input", {
      type: "number",
      min: "1",
      value: state.least,
      size: "5",
      input: later(() => {
        state.least = least.value;
      }),
    });
    const tags = [...new Set(types.upos)].sort(),
      set = (name) => (value) => {
        state[name] = value;
        update();
      };
    const again = (name) => (value) => {
      state[name] = value;
      state.zoom = "";
      keep();
      explorer.render();
    };
    const kinds = Object.entries(KINDS)
      .filter(([key]) => !single || key !== "robust")
      .map(([key, [label]]) => [key, label]);
    const classKey = explorer.el(
      "p",
      { class: "legend" },
      ...["function", "content", "other"].map((name) =>
        explorer.el(
          "span",
          { class: bySide() ? "key" : `key ${name}` },
          { function: "■ function words", content: "● content words", other: "▲ other words and parts" }[name],
        ),
      ),
    );
    place.append(
      explorer.el(
        "form",
        { class: "bar", submit: (event) => event.preventDefault() },
        explorer.field(
          "show",
          explorer.select(kinds, state.kind, set("kind")),
          "A word is robust if its interval leaves the mean out" +
            (summary.models ? "" : ", on the same side under every set of readouts"),
        ),
        explorer.field("search", search),
        explorer.field(
          "word class",
          explorer.select(
            [
              ["", "all"],
              ...tags.map((tag) => [tag, tag === "_" ? "parts of words" : (summary.class_names[tag] ?? tag)]),
            ],
            state.pos,
            set("pos"),
          ),
        ),
        explorer.field(
          "kind",
          explorer.select(
            [["", "all"], ...["function", "content", "other"].map((name) => [name, name])],
            state.class,
            set("class"),
          ),
        ),
        explorer.field("at least", least, "Occurrences in this text"),
        preferences.length > 1
          ? explorer.field("preference", explorer.select(preferences, state.of, again("of")))
          : null,
        single
          ? null
          : explorer.field(
              "plot",
              explorer.select(
                [
                  ["frequency", "preference against frequency"],
                  ["towers", summary.models ? "model against model" : "tower against tower"],
                ],
                state.plot,
                again("plot"),
              ),
            ),
      ),
      told,
      explorer.el(
        "div",
        { class: "pair" },
        explorer.el(
          "section",
          { "aria-label": "Plot" },
          scatter.place,
          classKey,
          explorer.el(
            "p",
            { class: "tools" },
            scatter.controls,
            " ",
            scatter.save,
            " ",
            explorer.el(
              "small",
              {},
              "Click the figure, then the wheel zooms; more labels appear. Click a point for its concordance.",
            ),
          ),
        ),
        explorer.el(
          "section",
          { "aria-label": "Table" },
          table.place,
          explorer.el("p", { class: "tools" }, explorer.csvButton(`${summary.name}-words`, table.csv)),
        ),
      ),
    );
    update();
  };

  explorer.views.push({ key: "words", label: "Words", show, filtered: "live" });
})();
