"use strict";
// Minimal pairs one by one, with each head's verdict.
(() => {
  const show = async (place, run, given) => {
    const summary = explorer.runs[run],
      answer = await explorer.whole("pairs", run);
    if (answer.missing) {
      place.append(explorer.el("p", { class: "told" }, explorer.prose(answer.missing)));
      return;
    }
    const { pairs, heads } = answer;
    const state = {
      run: run || "",
      paradigm: given.get("paradigm") || "",
      verdict: given.get("verdict") || "",
      search: given.get("search") || "",
    };
    const margin = (head, row) => pairs[`${head} good`][row] - pairs[`${head} bad`][row];
    const towers = heads.filter((head) => head.startsWith("tower "));
    const right = (head, row) => margin(head, row) > 0;
    const name = (row) => `${pairs.set[row]}: ${pairs.paradigm[row]}`;
    const verdicts = [
      ["", "all"],
      ["apart", "the towers differ"],
      ["none", "every tower is wrong"],
      ["every", "every tower is right"],
      ...towers.map((head) => [`only:${head}`, `only ${head} is right`]),
    ];
    const passes = (row) => {
      const count = towers.filter((head) => right(head, row)).length;
      if (state.verdict === "apart") return count > 0 && count < towers.length;
      if (state.verdict === "none") return count === 0;
      if (state.verdict === "every") return count === towers.length;
      if (state.verdict.startsWith("only:")) return count === 1 && right(state.verdict.slice(5), row);
      return true;
    };
    const table = explorer.table({
      caption: "Minimal pairs",
      sorted: { key: "paradigm", descending: false },
      tall: 56,
      height: 640,
      columns: [
        {
          key: "paradigm",
          label: "paradigm",
          width: "13em",
          value: name,
          cell: (row) => explorer.el("span", { title: pairs.kind[row] }, name(row)),
        },
        {
          key: "good",
          label: "better and worse sentence",
          csvLabel: "better sentence",
          value: (row) => pairs.good[row],
          cell: (row) =>
            explorer.el(
              "span",
              {},
              explorer.bdi(pairs.good[row], { title: pairs.good[row] }),
              explorer.el("br"),
              explorer.el("span", { class: "worse" }, "* ", explorer.bdi(pairs.bad[row], { title: pairs.bad[row] })),
            ),
        },
        ...heads.map((head) => ({
          key: head,
          label: head,
          csvLabel: `${head}: margin (nats)`,
          number: true,
          width: "6.5em",
          title: `Log-probability of the better sentence minus that of the worse, under ${head}, in nats`,
          value: (row) => margin(head, row),
          cell: (row) => {
            const value = margin(head, row);
            return explorer.el(
              "span",
              { class: value > 0 ? "right-verdict" : value < 0 ? "wrong-verdict" : null },
              `${value > 0 ? "✓" : value < 0 ? "✗" : "="} ${explorer.signed(value, 1)}`,
            );
          },
        })),
      ],
    });
    const told = explorer.el("p", { class: "told", role: "status" });
    const update = () => {
      explorer.remember("instruments", state);
      const wanted = state.search.toLowerCase(),
        rows = [];
      for (let row = 0; row < pairs.good.length; row++) {
        if (state.paradigm && name(row) !== state.paradigm) continue;
        if (wanted && !`${pairs.good[row]} ${pairs.bad[row]}`.toLowerCase().includes(wanted)) continue;
        if (passes(row)) rows.push(row);
      }
      const share = (head) =>
        rows.reduce((sum, row) => sum + (margin(head, row) > 0 ? 1 : margin(head, row) === 0 ? 0.5 : 0), 0) /
        rows.length;
      const right_ = heads.map((head) => `${head} ${(100 * share(head)).toFixed(0)} %`).join(", ");
      const chosen = state.verdict ? " (of these, which were chosen by their verdict)" : "";
      told.textContent =
        `${explorer.count(rows.length)} of ${explorer.count(pairs.good.length)} pairs` +
        (rows.length ? `; right: ${right_}${chosen}` : "");
      table.show(rows);
    };
    const save = () => [
      [
        "set",
        "paradigm",
        "kind",
        "better",
        "worse",
        ...heads.flatMap((head) => [`${head}: better (nats)`, `${head}: worse (nats)`]),
      ],
      table
        .rows()
        .map((row) => [
          pairs.set[row],
          pairs.paradigm[row],
          pairs.kind[row],
          pairs.good[row],
          pairs.bad[row],
          ...heads.flatMap((head) => [pairs[`${head} good`][row], pairs[`${head} bad`][row]]),
        ]),
    ];
    const paradigms = [...new Set(pairs.good.map((_, row) => name(row)))].sort();
    const search = explorer.el("input", {
      type: "search",
      value: state.search,
      input: () => {
        state.search = search.value;
        update();
      },
    });
    place.append(
      explorer.el(
        "form",
        { class: "bar", submit: (event) => event.preventDefault() },
        explorer.field(
          "paradigm",
          explorer.select([["", "all"], ...paradigms.map((each) => [each, each])], state.paradigm, (value) => {
            state.paradigm = value;
            update();
          }),
        ),
        explorer.field(
          "verdict",
          explorer.select(verdicts, state.verdict, (value) => {
            state.verdict = value;
            update();
          }),
        ),
        explorer.field("search", search),
      ),
      told,
      table.place,
      explorer.el(
        "p",
        { class: "tools" },
        explorer.csvButton(`${summary.name}-pairs`, save),
        " A head is right (✓) where the better sentence has the higher log-probability; ties count one half.",
      ),
    );
    update();
  };

  explorer.views.push({ key: "instruments", label: "Instruments", show });
})();
