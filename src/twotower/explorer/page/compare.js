"use strict";
// Two runs, two readings of one or two of its heads: class by class, type by type and passage by passage.
(() => {
  const LEVELS = [
    ["classes", "word classes"],
    ["words", "whole words"],
    ["types", "words and parts of words"],
  ];

  const show = async (place, _, given) => {
    const runs = explorer.runs,
      two = runs.length === 2;
    const choices = runs.flatMap((run, number) =>
      [
        ...run.contrasts.map(({ suffix, name }) => [`${number}:mean${suffix}`, `preference: ${name}`]),
        ...run.contrasts.flatMap(({ suffix, name }) =>
          run.set_columns.map((column, set) => [`${number}:${column}${suffix}`, `set ${set + 1} of readouts: ${name}`]),
        ),
        ...run.heads.map((head) => [`${number}:${head}`, explorer.measureName(run, head)]),
      ].map(([key, label]) => [key, two ? `run ${number + 1}: ${label}` : label]),
    );
    const known = new Set(choices.map(([key]) => key));
    const [first, second] = runs[0].set_columns;
    const preset = two
      ? ["0:mean", "1:mean"]
      : second // whether a preference comes from the towers: two readings of them agree on it
        ? [`0:${first}${runs[0].contrasts[0].suffix}`, `0:${second}${runs[0].contrasts[0].suffix}`]
        : [`0:${runs[0].alone[0]}`, `0:${runs[0].alone[1] ?? runs[0].heads[0]}`];
    const chosen = (name, usual, fall) =>
      known.has(given.get(name)) ? given.get(name) : known.has(usual) ? usual : choices[fall][0];
    const state = {
      a: chosen("a", preset[0], 0),
      b: chosen("b", preset[1], Math.min(1, choices.length - 1)),
      level: LEVELS.some(([key]) => key === given.get("level")) ? given.get("level") : LEVELS[0][0],
      least: given.get("least") ?? String(runs[0].frequent),
      turn: given.get("turn") ?? "",
      zoom: given.get("zoom") || "",
      document: given.get("document") || "",
      start: Number(given.get("start")) || 0,
    };
    const keep = () => explorer.remember("compare", state);
    const parse = (key) => {
      const cut = key.indexOf(":");
      return [Number(key.slice(0, cut)), key.slice(cut + 1)];
    };
    const [runA, columnA] = parse(state.a),
      [runB, columnB] = parse(state.b);
    const [typesA, typesB] = await Promise.all([explorer.types(runA), explorer.types(runB)]);
    const tagged = typesA.word_class.some((group) => group !== "other");
    if (!tagged && state.level !== "types") state.level = "types"; // text without tags has neither classes nor words
    const least = Number(state.least) || 1;
    const rows = [];
    typesA.piece.forEach((piece, row) => {
      const other = runA === runB ? row : typesB.place.get(piece);
      if (
        other !== undefined &&
        typesA.count[row] >= least &&
        typesB.count[other] >= least &&
        typesA[columnA][row] !== null &&
        typesB[columnB][other] !== null &&
        (state.level !== "words" || typesA.upos[row] !== "_")
      )
        rows.push([row, other]);
    });
    const className = (tag) => (tag === "_" ? "part of a word" : (runs[runA].class_names[tag] ?? tag));
    const items =
      state.level === "classes"
        ? classesOf(rows, typesA, typesB, columnA, columnB, className)
        : rows.map(([row, other]) => ({
            name: typesA.piece[row],
            class_: className(typesA.upos[row]),
            group: typesA.word_class[row],
            count: typesA.count[row],
            otherCount: typesB.count[other],
            a: typesA[columnA][row],
            b: typesB[columnB][other],
            query: `[${typesA.piece[row]}]`,
          }));
    const valueA = (k) => items[k].a;
    const raw = (k) => items[k].b;
    const correlation = (values) => {
      const n = items.length,
        [ma, mb] = [0, 1].map((side) => items.reduce((sum, _item, k) => sum + values(k)[side], 0) / n);
      let [ab, aa, bb] = [0, 0, 0];
      items.forEach((_item, k) => {
        const [a, b] = values(k);
        ab += (a - ma) * (b - mb);
        aa += (a - ma) ** 2;
        bb += (b - mb) ** 2;
      });
      return ab / Math.sqrt(aa * bb);
    };
    const r = correlation((k) => [valueA(k), raw(k)]);
    // Which tower is called 1 is arbitrary: across runs the second preference is turned to agree with the first.
    const arbitrary = !runs[runA].models && !runs[runB].models;
    const signed = columnA === "mean" && columnB === "mean" && runA !== runB && arbitrary;
    const turned = signed && (state.turn === "" ? r < 0 : state.turn === "1");
    const valueB = (k) => (turned ? -raw(k) : raw(k));
    const label = (key) => choices.find(([each]) => each === key)[1];
    const names = [
      label(state.a),
      turned ? label(state.b).replace("tower 1 minus tower 2", "tower 2 minus tower 1") : label(state.b),
    ];
    const short = (number, column, minus) => {
      const what =
        runs[number].head_names[column] ??
        column
          .replace(/^under_[a-z]+/, (set) => `set ${runs[number].set_columns.indexOf(set) + 1}`)
          .replace(/^mean/, "preference")
          .replace(/_\d+$/, (suffix) => ` ${explorer.sideOf(runs[number], suffix)}`);
      return `${two ? `run ${number + 1}, ` : ""}${what}${minus ? ", exchanged" : ""} (nats)`;
    };
    const diverging = [columnA, columnB].every((name) => explorer.isPreference(name));

    const scatter = explorer.scatter({
      name: "compare",
      label: `Types by ${names[0]} and ${names[1]}`,
      view: state.zoom ? state.zoom.split(",").map(Number) : null,
      zoomed: (view) => {
        state.zoom = view ? view.map((value) => value.toFixed(3)).join(",") : "";
        keep();
      },
      tip: ({ row }) => [
        items[row].name,
        `${names[0]}: ${explorer.signed(valueA(row))} nats`,
        `${names[1]}: ${explorer.signed(valueB(row))} nats`,
        explorer.count(items[row].count) +
          (runA === runB ? "" : ` and ${explorer.count(items[row].otherCount)}`) +
          " occurrences",
      ],
      onpick: ({ row }) => {
        location.hash = explorer.link("concordance", { run: runA || "", query: items[row].query });
      },
    });
    const number = (key, name, value) => ({
      key,
      label: name,
      number: true,
      width: "7em",
      value,
      cell: (k) => {
        if (diverging) return explorer.swatch("mean", value(k));
        return (key === "difference" ? explorer.signed : explorer.plain)(value(k));
      },
    });
    const table = explorer.table({
      caption: "Types under both",
      sorted: { key: "difference", descending: true },
      columns: [
        {
          key: "piece",
          label: state.level === "classes" ? "word class" : "type",
          width: "9em",
          value: (k) => items[k].name,
          cell: (k) =>
            explorer.el(
              "a",
              { href: explorer.link("concordance", { run: runA || "", query: items[k].query }) },
              explorer.bdi(items[k].name),
            ),
        },
        ...(state.level === "classes"
          ? []
          : [
              {
                key: "upos",
                label: "word class",
                width: "7em",
                value: (k) => items[k].class_,
                cell: (k) => items[k].class_,
              },
            ]),
        {
          key: "count",
          label: "count",
          number: true,
          width: "5em",
          value: (k) => items[k].count,
          cell: (k) => explorer.count(items[k].count),
        },
        { ...number("a", "first", valueA), title: names[0], csvLabel: `${names[0]} (nats)` },
        { ...number("b", "second", valueB), title: names[1], csvLabel: `${names[1]} (nats)` },
        { ...number("difference", "difference", (k) => valueA(k) - valueB(k)), title: "First minus second, in nats" },
      ],
    });
    const change = (name) => (value) => {
      state[name] = value;
      if (name !== "document") {
        state.turn = name === "turn" ? value : "";
        state.zoom = "";
      }
      keep();
      explorer.render();
    };
    const fewest = explorer.el("input", {
      type: "number",
      min: "1",
      value: state.least,
      size: "5",
      change: () => {
        state.least = fewest.value;
        keep();
        explorer.render();
      },
    });
    place.append(
      explorer.el(
        "form",
        { class: "bar", submit: (event) => event.preventDefault() },
        explorer.field("compare", explorer.select(LEVELS, state.level, change("level"))),
        explorer.field("first", explorer.select(choices, state.a, change("a"))),
        explorer.field("second", explorer.select(choices, state.b, change("b"))),
        explorer.field("at least", fewest, "Occurrences in each"),
        signed
          ? explorer.checkbox(
              "exchange the towers of the second run",
              turned,
              (value) => change("turn")(value ? "1" : "0"),
              "Which tower is called 1 is arbitrary in every run",
            )
          : null,
      ),
      explorer.el(
        "p",
        { class: "told", role: "status" },
        `${explorer.count(items.length)} ${LEVELS.find(([key]) => key === state.level)[1]} in common · Pearson's r ` +
          (items.length > 2 ? explorer.signed(turned ? -r : r) : "–") +
          (turned ? " · the towers of the second run have changed places, because their numbers are arbitrary" : "") +
          (two ? "" : " · "),
        ...(two ? [] : explorer.prose(`to compare it with another: \`twotower explore ${runs[0].name} OTHER\``)),
      ),
      explorer.el(
        "div",
        { class: "pair" },
        explorer.el(
          "section",
          {},
          scatter.place,
          explorer.el("p", { class: "tools" }, scatter.controls, " ", scatter.save),
        ),
        explorer.el(
          "section",
          {},
          table.place,
          explorer.el("p", { class: "tools" }, explorer.csvButton("compare", table.csv)),
        ),
      ),
    );
    table.show(items.map((_item, k) => k));
    const centre = diverging ? { zero: "both" } : {};
    scatter.show(
      items.map((item, k) => ({
        row: k,
        x: valueA(k),
        y: valueB(k),
        label: item.name,
        group: item.group,
        weight: Math.abs(valueA(k) - valueB(k)) + (diverging ? Math.abs(valueA(k) + valueB(k)) : 0),
      })),
      { x: short(runA, columnA, false), y: short(runB, columnB, turned), diagonal: true, ...centre },
    );
    keep();
    await passages(place, state, keep, { runA, runB, columnA, columnB, turned, names });
  };

  /** The classes of function and content words, each with the mean over its occurrences. */
  const classesOf = (rows, typesA, typesB, columnA, columnB, className) => {
    const sums = new Map();
    for (const [row, other] of rows) {
      if (typesA.word_class[row] === "other") continue; // symbols and parts of words would hide what words do
      const tag = typesA.upos[row];
      const sum = sums.get(tag) ?? { tag, count: 0, otherCount: 0, a: 0, b: 0, group: typesA.word_class[row] };
      sum.count += typesA.count[row];
      sum.otherCount += typesB.count[other];
      sum.a += typesA.count[row] * typesA[columnA][row];
      sum.b += typesB.count[other] * typesB[columnB][other];
      sums.set(tag, sum);
    }
    return [...sums.values()].map((sum) => ({
      ...sum,
      name: className(sum.tag),
      a: sum.a / sum.count,
      b: sum.b / sum.otherCount,
      query: sum.tag,
    }));
  };

  /** The same passage under both, where both runs hold it. */
  const passages = async (place, state, keep, { runA, runB, columnA, columnB, turned, names }) => {
    const [a, b] = await Promise.all([explorer.whole("documents", runA), explorer.whole("documents", runB)]);
    const other = new Map(b.name.map((name, number) => [name, number]));
    const held = (run, number) => explorer.live || explorer.runs[run].shard_of[number] >= 0;
    const shared = a.name
      .map((name, number) => [number, other.get(name)])
      .filter(
        ([first, second]) =>
          second !== undefined && a.tokens[first] === b.tokens[second] && held(runA, first) && held(runB, second),
      );
    place.append(explorer.el("h2", {}, "The same passage under both"));
    if (!shared.length) {
      place.append(
        explorer.el("p", { class: "told" }, "These runs share no held-out document with the same tokens."),
      );
      return;
    }
    const [first, second] = shared.find(([number]) => String(number) === state.document) || shared[0];
    const measure = (column) =>
      column
        .replace(/^mean/, "preference")
        .replace(/^under_[a-z]+/, (set) => `set${explorer.runs[runA].set_columns.indexOf(set) + 1}`);
    const body = explorer.el("div", { class: "pair" });
    const choose = explorer.select(
      shared.map(([number]) => [number, a.name[number]]),
      first,
      (value) => {
        state.document = value;
        state.start = 0;
        keep();
        explorer.render();
      },
    );
    const turnTo = (start) => {
      state.start = start;
      keep();
      explorer.render();
    };
    place.append(
      explorer.el(
        "p",
        { class: "bar" },
        explorer.field("document", choose),
        explorer.el(
          "button",
          { type: "button", disabled: state.start === 0, click: () => turnTo(Math.max(0, state.start - 200)) },
          "previous",
        ),
        explorer.el(
          "button",
          { type: "button", disabled: state.start + 200 >= a.tokens[first], click: () => turnTo(state.start + 200) },
          "next",
        ),
      ),
      body,
    );
    const sides = await Promise.all(
      [
        [runA, first, columnA, false],
        [runB, second, columnB, turned],
      ].map(async ([run, document, column, minus], side) => {
        const passage = await explorer.passage({ run, document, start: state.start, length: 200 });
        const values = passage[measure(column)].map((value) => (minus ? -value : value));
        const { text } = explorer.coloured(run, passage, measure(column), { values });
        return explorer.el(
          "section",
          {},
          explorer.el("p", { class: "told" }, names[side]),
          explorer.legend(explorer.runs[run], measure(column), minus),
          text,
        );
      }),
    );
    body.append(...sides);
  };

  explorer.views.push({ key: "compare", label: "Compare", show });
})();
