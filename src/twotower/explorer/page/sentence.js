"use strict";
// A sentence of the reader's own: each head's log-probabilities, lesions, and less context. Needs the model.
(() => {
  const EXAMPLE = "We will continue to work with the Congress for peace.";

  const show = async (place, run, given) => {
    const summary = explorer.runs[run],
      types = await explorer.types(run);
    const state = {
      run: run || "",
      text: given.get("text") ?? EXAMPLE,
      context: given.get("context") || "",
      by: given.get("by") || summary.measures[0],
      token: Number(given.get("token")) || 0,
    };
    const keep = () => explorer.remember("sentence", state);
    const typed = explorer.el("textarea", { rows: "2", cols: "80", maxlength: "4000" });
    typed.value = state.text;
    const context = explorer.el("input", {
      type: "number",
      min: "1",
      max: String(summary.window ?? ""),
      value: state.context,
      placeholder: "all",
      size: "5",
    });
    const [result, button] = [explorer.el("div"), explorer.el("button", {}, "read")];
    const headName = (head) => summary.head_names[head];
    let answer = null;

    const measures = () => {
      const shown = new Map(
        summary.contrasts.map(({ suffix, name }) => [
          `preference${suffix}`,
          [`preference: ${name}`, answer.preference[suffix]],
        ]),
      );
      for (const [head, values] of Object.entries(answer.log_probs))
        shown.set(head, [`log-probability, ${headName(head)}`, values]);
      for (const lesion of answer.lesions) {
        for (const kind of ["zero", "mean"])
          shown.set(`lesion_${lesion.tower}_${kind}`, [
            `joint head without tower ${lesion.tower} ` +
              `(${kind === "zero" ? "its output set to 0" : "its output set to its mean"})`,
            lesion[kind],
          ]);
      }
      if (answer.cut) {
        for (const { suffix, name } of summary.contrasts)
          shown.set(`cutpreference${suffix}`, [
            `preference with ${answer.cut.context} token${answer.cut.context === 1 ? "" : "s"} of context: ${name}`,
            contrast(answer.cut.log_probs, suffix),
          ]);
        for (const [head, values] of Object.entries(answer.cut.log_probs))
          shown.set(`cut_${head}`, [`log-probability, ${headName(head)}, ${answer.cut.context} of context`, values]);
      }
      return shown;
    };
    const contrast = (logProbs, suffix) => {
      const each = summary.alone.map((head) => logProbs[head]);
      const tower = suffix ? Number(suffix.slice(1)) : 1;
      return each[0].map((_, i) =>
        summary.towers === 2
          ? each[0][i] - each[1][i]
          : each[tower - 1][i] - each.reduce((sum, values) => sum + values[i], 0) / summary.towers,
      );
    };
    const draw = () => {
      const shown = measures();
      if (!shown.has(state.by)) state.by = shown.keys().next().value;
      state.token = Math.min(state.token, answer.piece.length - 1);
      keep();
      const values = shown.get(state.by)[1],
        kind = state.by.includes("preference") ? `preference${state.by.split("preference")[1]}` : summary.heads[0];
      const passage = { piece: answer.piece, start: 0 };
      for (const name of summary.measures)
        passage[name] = name.startsWith("preference") ? answer.preference[name.slice(10)] : answer.log_probs[name];
      const { text } = explorer.coloured(run, passage, kind, { values, at: state.token });
      const choose = explorer.select(
        [...shown].map(([key, [label]]) => [key, label]),
        state.by,
        (value) => {
          state.by = value;
          draw();
        },
      );
      result.replaceChildren(
        explorer.el("p", { class: "bar" }, explorer.field("colour by", choose)),
        explorer.legend(summary, kind),
        text,
        sums(),
        tokens(),
        predictions(),
      );
    };
    const total = (values) => values.reduce((sum, value) => sum + value, 0);
    const sums = () => {
      const parts = summary.heads.map((head) => `${headName(head)} ${explorer.plain(total(answer.log_probs[head]))}`);
      for (const lesion of answer.lesions)
        parts.push(
          `joint head without tower ${lesion.tower}: ` +
            `${explorer.signed(total(lesion.mean) - total(answer.log_probs.joint))} (mean), ` +
            `${explorer.signed(total(lesion.zero) - total(answer.log_probs.joint))} (zero)`,
        );
      return explorer.el("p", { class: "told" }, `Whole sentence, log-probability in nats: ${parts.join(" · ")}`);
    };
    const tokens = () => {
      const columns = [
        {
          label: "token",
          csv: (k) => answer.piece[k],
          cell: (k) =>
            explorer.el(
              "button",
              {
                type: "button",
                class: "plainly",
                "aria-pressed": String(k === state.token),
                click: () => {
                  state.token = k;
                  draw();
                },
              },
              explorer.bdi(answer.piece[k]),
            ),
        },
        ...summary.heads.map((head) => ({
          label: headName(head),
          title: "Log-probability in nats",
          csv: (k) => answer.log_probs[head][k],
          cell: (k) => explorer.plain(answer.log_probs[head][k]),
        })),
        ...summary.contrasts.flatMap(({ suffix, name }) => [
          {
            label: suffix ? `preference, ${explorer.sideOf(summary, suffix)}` : "preference here",
            title: name,
            csv: (k) => answer.preference[suffix][k],
            cell: (k) => explorer.swatch("preference", answer.preference[suffix][k]),
          },
          {
            label: "usually",
            title: "The type's mean preference over the text, with its interval",
            csv: (k) => types[`mean${suffix}`][types.placeOfId.get(answer.piece_id[k])] ?? null,
            cell: (k) => usual(k, suffix),
          },
        ]),
        ...answer.lesions.flatMap((lesion) =>
          ["mean", "zero"].map((kind) => ({
            label: `without tower ${lesion.tower}: ${kind}`,
            title:
              `Change of the joint head's log-probability, in nats, with tower ${lesion.tower}'s output ` +
              `replaced by ${kind === "zero" ? "zeros" : "its mean over held-out text"}`,
            csv: (k) => lesion[kind][k] - answer.log_probs.joint[k],
            cell: (k) => explorer.signed(lesion[kind][k] - answer.log_probs.joint[k]),
          })),
        ),
        ...(answer.cut
          ? summary.heads.map((head) => ({
              label: `${headName(head)}, cut`,
              title: `Change of the log-probability with ${answer.cut.context} tokens of context only, in nats`,
              csv: (k) => answer.cut.log_probs[head][k] - answer.log_probs[head][k],
              cell: (k) => explorer.signed(answer.cut.log_probs[head][k] - answer.log_probs[head][k]),
            }))
          : []),
      ];
      const rows = answer.piece.map((_, k) =>
        explorer.el(
          "tr",
          { class: k === state.token ? "chosen" : null },
          columns.map((column, c) => explorer.el("td", { class: c ? "number" : null }, column.cell(k))),
        ),
      );
      return explorer.el(
        "div",
        {},
        explorer.el(
          "div",
          { class: "scroll", tabindex: "0", role: "region", "aria-label": "Token by token" },
          explorer.el(
            "table",
            {},
            explorer.el(
              "thead",
              {},
              explorer.el(
                "tr",
                {},
                columns.map(({ label, title }, c) =>
                  explorer.el("th", { scope: "col", class: c ? "number wrap" : null, title }, label),
                ),
              ),
            ),
            explorer.el("tbody", {}, rows),
          ),
        ),
        explorer.el(
          "p",
          { class: "tools" },
          explorer.csvButton(`${summary.name}-sentence`, () => [
            columns.map(({ label }) => label),
            answer.piece.map((_, k) => columns.map(({ csv }) => csv(k))),
          ]),
          " All in nats. Choose a token to see what was expected in its place.",
        ),
      );
    };
    const usual = (k, suffix) => {
      const row = types.placeOfId.get(answer.piece_id[k]);
      if (row === undefined) return explorer.el("span", { title: "It does not occur in the text" }, "–");
      const made = explorer.swatch("mean", types[`mean${suffix}`][row]);
      const [low, high] = ["low", "high"].map((end) => explorer.signed(types[`${end}${suffix}`][row]));
      made.title = `${low} to ${high}, ${types.count[row]} occurrences`;
      return made;
    };
    const predictions = () => {
      const here = answer.piece[state.token];
      const list = (head) =>
        explorer.el(
          "section",
          {},
          explorer.el("h2", {}, headName(head)),
          explorer.el(
            "ol",
            { class: "predictions" },
            answer.top[head][state.token].map(([piece, probability]) => {
              const bar = explorer.el("span", { class: "bar-of" });
              bar.style.width = `${Math.max(0.5, probability * 100).toFixed(1)}%`;
              return explorer.el(
                "li",
                { class: piece === here ? "hit" : null },
                explorer.bdi(piece),
                explorer.el("span", { class: "number" }, probability.toFixed(3)),
                bar,
              );
            }),
          ),
        );
      return explorer.el(
        "div",
        {},
        explorer.el("h2", {}, "Expected in place of ", explorer.bdi(`“${here}”`), " (probability)"),
        explorer.el("div", { class: "columns" }, summary.heads.map(list)),
      );
    };

    const read = async () => {
      button.disabled = true;
      state.text = typed.value;
      state.context = context.value;
      keep();
      result.replaceChildren(explorer.el("p", { class: "told" }, "reading… (the first time the model is loaded)"));
      try {
        answer = await explorer.sentence({
          run,
          text: state.text,
          context: state.context ? Number(state.context) : null,
        });
        draw();
      } catch (error) {
        result.replaceChildren(explorer.failure(error));
      }
      button.disabled = false;
    };
    typed.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey) {
        event.preventDefault();
        read();
      }
    });
    place.append(
      explorer.el(
        "form",
        {
          submit: (event) => {
            event.preventDefault();
            read();
          },
        },
        explorer.el("label", { class: "field block" }, "sentence", typed),
        explorer.el(
          "p",
          { class: "bar" },
          summary.window
            ? explorer.field(
                "tokens of context",
                context,
                summary.objective === "causal"
                  ? "Tokens before each token that the towers see"
                  : "Tokens around each token that the towers see, half on each side",
              )
            : null,
          button,
        ),
      ),
      result,
    );
    await read();
  };

  if (explorer.live) explorer.views.push({ key: "sentence", label: "Your sentence", show });
})();
