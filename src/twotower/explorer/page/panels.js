"use strict";
// What a concordance adds up to, drawn: collocates, a word sketch, dispersion. Each gives the parts of its panel.
(() => {
  const MOST_GROUPS = 15,
    LEAST = 3;

  const { swatch, shown } = explorer;

  explorer.panels = {
    /** Words that stand beside the hits. */
    collocates: ({ answer, state, summary, link, draw }) => {
      const measure = state.by;
      const rows = explorer.collocates(answer, measure, Number(state.span) || 5, LEAST);
      const value = (name) => (row) => rows[row][name];
      const number = (key, label, title, cell) => ({
        key,
        label,
        title,
        number: true,
        width: "7.5em",
        value: value(key),
        cell,
      });
      const table = explorer.table({
        caption: "Collocates",
        sorted: { key: "dice", descending: true },
        columns: [
          {
            key: "word",
            label: "collocate",
            value: value("word"),
            cell: (row) =>
              explorer.el(
                "a",
                { href: link({ query: rows[row].word, panel: "lines" }) },
                explorer.bdi(rows[row].word),
              ),
          },
          number("hits", "hits", "Hits with the word beside them", (row) => explorer.count(rows[row].hits)),
          number("dice", "logDice", "How typical the word is of the hits (Rychlý 2008), 14 at the most", (row) =>
            explorer.plain(rows[row].dice),
          ),
          number(
            "with",
            "with it",
            `Mean of hits beside the word: ${explorer.measureName(summary, measure)}, in nats`,
            (row) => swatch(measure, rows[row].with, shown(measure, rows[row].with)),
          ),
          number("without", "without", "Mean of the other hits, in nats", (row) => shown(measure, rows[row].without)),
        ],
      });
      const spans = ["1", "2", "3", "5", "8", "12"].map((words) => [words, `${words} word${words === "1" ? "" : "s"}`]);
      table.show(rows.keys());
      return [
        explorer.el(
          "p",
          { class: "bar" },
          explorer.field(
            "within",
            explorer.select(spans, state.span, (words) => {
              state.span = words;
              draw();
            }),
          ),
          explorer.el("span", { class: "told" }, `Words beside ${LEAST} hits or more.`),
        ),
        table.place,
        explorer.el("p", { class: "tools" }, explorer.csvButton(`${summary.name}-collocates`, table.csv)),
      ];
    },

    /** The hits by the word before, the word after, word class and period. */
    sketch: ({ answer, documents, periods, state, summary, link }) => {
      const measure = state.by;
      const phrase = !/^[/[]/.test(state.query),
        single = phrase && !state.query.includes(" ");
      const neighbour = (side) => (hit) => answer.word[answer[side][hit * explorer.CONTEXT]] ?? null;
      const order = new Map(periods.map(({ label, order: first }) => [label, first]));
      const bounds = new Map(periods.map((period) => [period.label, period]));
      const parts = [
        ["word before", neighbour("left"), (word) => phrase && { query: `${word} ${state.query}` }],
        ["word after", neighbour("right"), (word) => phrase && { query: `${state.query} ${word}` }],
        [
          "word class",
          (hit) => answer.tag[hit],
          (tag) => single && !/_|^[A-Z]+$/.test(state.query) && { query: `${state.query}_${tag}` },
        ],
        [
          "period",
          (hit) => periods[answer.document[hit]].label,
          (label) =>
            bounds.get(label).since !== undefined && {
              since: bounds.get(label).since,
              until: bounds.get(label).until,
            },
        ],
      ];
      const all = [];
      const table = ([name, labelOf, narrower]) => {
        const groups = explorer.groupHits(answer, measure, labelOf);
        if (name === "period") groups.sort((a, b) => order.get(a.label) - order.get(b.label));
        all.push(...groups.map((group) => [name, group.label, group.count, group.mean, group.error]));
        const rows = groups
          .slice(0, name === "period" ? groups.length : MOST_GROUPS)
          .map(({ label, count, mean, error }) => {
            const narrow = narrower(label);
            return explorer.el(
              "tr",
              {},
              explorer.el(
                "td",
                {},
                narrow
                  ? explorer.el("a", { href: link({ ...narrow, panel: "lines" }) }, explorer.bdi(label))
                  : explorer.bdi(label),
              ),
              explorer.el("td", { class: "number" }, explorer.count(count)),
              explorer.el(
                "td",
                { class: "number" },
                swatch(measure, mean, shown(measure, mean)),
                error === null ? "" : ` ± ${explorer.plain(error)}`,
              ),
            );
          });
        return explorer.el(
          "section",
          {},
          explorer.el(
            "table",
            { class: "fit" },
            explorer.el("caption", {}, name),
            explorer.el(
              "thead",
              {},
              explorer.el(
                "tr",
                {},
                ["", "hits", "nats"].map((text, k) =>
                  explorer.el("th", { scope: "col", class: k ? "number" : null }, text),
                ),
              ),
            ),
            explorer.el("tbody", {}, rows),
          ),
        );
      };
      return [
        explorer.el("div", { class: "columns" }, parts.map(table)),
        explorer.el(
          "p",
          { class: "tools" },
          explorer.csvButton(`${summary.name}-sketch`, () => [
            ["by", "value", "hits", `${state.by}, mean (nats)`, "standard error"],
            all,
          ]),
          ` ${explorer.measureName(summary, measure)}: mean and standard error over hits. Choose a value to ` +
            `see its lines.`,
        ),
      ];
    },

    /** Where in the corpus the hits stand, and how many each document has. */
    spread: ({ answer, documents, passes, state, summary, run }) => {
      const measure = state.by;
      const kept = documents.tokens.map((count, number) => (passes[number] ? count : 0)),
        ends = [0];
      for (const count of kept) ends.push(ends.at(-1) + count);
      const whole = ends.at(-1) || 1;
      const figure = explorer.figure({
        name: `${summary.name}-dispersion`,
        label: `Where “${state.query}” stands in the documents`,
        height: 130,
        draw: (surface, width, height, colors) => {
          const at = (token) => 10 + (token / whole) * (width - 20);
          surface.line(
            [
              [10, height - 30],
              [width - 10, height - 30],
            ],
            colors.soft,
          );
          let free = 0;
          documents.name.forEach((name, number) => {
            if (!kept[number]) return;
            surface.line(
              [
                [at(ends[number]), height - 30],
                [at(ends[number]), height - 24],
              ],
              colors.soft,
            );
            const label = String(documents.year[number] ?? number + 1);
            if (at(ends[number]) < free) return;
            surface.text(label, at(ends[number]), height - 10, colors.soft);
            free = at(ends[number]) + surface.width(label) + 10;
          });
          answer.key.forEach((_, hit) => {
            const x = at(ends[answer.document[hit]] + answer.position[hit]),
              value = answer.measures[measure][hit];
            const color = !explorer.isPreference(measure) ? colors.violet : value > 0 ? colors.blue : colors.orange;
            const tall = Math.min(
              1,
              Math.abs(value) / (explorer.isPreference(measure) ? explorer.LIMIT : explorer.SURPRISE),
            );
            surface.line(
              [
                [x, height - 32],
                [x, height - 40 - tall * (height - 50)],
              ],
              color,
            );
          });
        },
      });
      const counts = explorer.dispersion(answer, documents.tokens, passes).hits;
      const means = new Map(
        explorer.groupHits(answer, measure, (hit) => answer.document[hit]).map((group) => [group.label, group.mean]),
      );
      const table = explorer.table({
        caption: "Hits by document",
        sorted: { key: "number", descending: false },
        height: 380,
        columns: [
          ...explorer.documentColumns(documents, run, () => state.by),
          {
            key: "hits",
            label: "hits",
            number: true,
            width: "5em",
            value: (row) => counts.get(row) || 0,
            cell: (row) => explorer.count(counts.get(row) || 0),
          },
          {
            key: "often",
            label: "per 1,000 tokens",
            number: true,
            width: "9em",
            value: (row) => (1000 * (counts.get(row) || 0)) / documents.tokens[row],
            cell: (row) => explorer.plain((1000 * (counts.get(row) || 0)) / documents.tokens[row]),
          },
          {
            key: "mean",
            label: "mean of hits (nats)",
            number: true,
            width: "11em",
            value: (row) => means.get(row) ?? null,
            cell: (row) => swatch(measure, means.get(row) ?? null, shown(measure, means.get(row) ?? null)),
          },
        ],
      });
      table.show([...passes.keys()].filter((number) => passes[number]));
      return [
        figure.place,
        explorer.el(
          "p",
          { class: "tools" },
          figure.save,
          " ",
          explorer.csvButton(`${summary.name}-dispersion`, table.csv),
          " Each line is a hit, in the order of the corpus; its length is how far one of them is ahead, its " +
            "colour says which.",
        ),
        table.place,
      ];
    },
  };
})();
