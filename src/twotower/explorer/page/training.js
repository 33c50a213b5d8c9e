"use strict";
// The preference of words and classes at each evaluation of the training.
(() => {
  const CLASSES = ["NOUN", "PROPN", "VERB", "ADP", "DET", "PRON"];

  const show = async (place, run, given) => {
    const summary = explorer.runs[run],
      [types, emerged] = await Promise.all([explorer.types(run), explorer.whole("emerged", run)]);
    if (!emerged.tokens.length) {
      place.append(
        explorer.el("p", { class: "told" }, "This run kept no evaluations while it trained (--train.evaluations 0)."),
      );
      return;
    }
    const listed = (name) => (given.get(name) ?? "").split(" ").filter(Boolean);
    const state = {
      run: run || "",
      classes: given.has("classes") || given.has("words") ? listed("classes") : CLASSES,
      words: listed("words"),
      of: given.get("of") || summary.contrasts[0]?.suffix || "",
    };
    const keep = () =>
      explorer.remember("training", { ...state, classes: state.classes.join(" "), words: state.words.join(" ") });
    const chart = explorer.lines({
      name: `${summary.name}-emergence`,
      label: "Preference of classes and words over training",
      height: 400,
    });
    const nats = explorer.lines({
      name: `${summary.name}-nats`,
      label: "Held-out nats per token over training",
      height: 260,
    });
    const [told, table] = [
      explorer.el("p", { class: "told", role: "status" }),
      explorer.el("div", {
        class: "scroll",
        tabindex: "0",
        role: "region",
        "aria-label": "Preference at each evaluation",
      }),
    ];
    const place_ = new Map(emerged.piece_id.map((id, k) => [id, k]));
    const preferences = emerged.preferences[state.of];

    const className = (name) => summary.class_names[name] ?? `${name} words`;
    const series = () => [
      ...state.classes
        .map((name) => preferences.classes.find((each) => each.name === name))
        .filter(Boolean)
        .map((each) => ({
          name: className(each.name),
          count: each.count,
          points: emerged.tokens.map((tokens, k) => [tokens, each.mean[k], each.low[k], each.high[k]]),
          title: `${explorer.count(each.count)} occurrences in the sample; interval over documents`,
        })),
      ...state.words
        .map((word) => [word, place_.get(types.piece_id[types.place.get(word)])])
        .filter(([, k]) => k !== undefined)
        .map(([word, k]) => ({
          name: word,
          count: emerged.count[k],
          title:
            `${explorer.count(emerged.count[k])} occurrences in the sample; ± 1.96 standard errors, ` +
            `documents as clusters`,
          points: emerged.tokens.map((tokens, t) => {
            const [mean, error] = [preferences.types[t][k], preferences.error[t][k]];
            return [
              tokens,
              mean,
              error === null ? null : mean - 1.96 * error,
              error === null ? null : mean + 1.96 * error,
            ];
          }),
        })),
    ];
    const update = () => {
      keep();
      const shown = series(),
        contrast = summary.contrasts.find(({ suffix }) => suffix === state.of);
      const missing = state.words.filter((word) => !shown.some(({ name }) => name === word));
      told.textContent = missing.length
        ? `Too rare in the sample that evaluations read, or no type: ${missing.join(", ")}`
        : shown.length
          ? ""
          : "Choose a class or a word.";
      chart.show(shown, {
        x: "tokens of training",
        y: "preference, from the mean (nats)",
        zero: true,
        floor: emerged.tokens.map((tokens, k) => [tokens, preferences.floor[k]]),
      });
      const head = explorer.el(
        "tr",
        {},
        explorer.el("th", { scope: "col", class: "number" }, "tokens of training"),
        shown.map(({ name }) => explorer.el("th", { scope: "col", class: "number" }, explorer.bdi(name))),
      );
      table.replaceChildren(
        explorer.el(
          "table",
          { class: "fit" },
          explorer.el("caption", { class: "hidden" }, contrast.name),
          explorer.el("thead", {}, head),
          explorer.el(
            "tbody",
            {},
            emerged.tokens.map((tokens, t) =>
              explorer.el(
                "tr",
                {},
                explorer.el("td", { class: "number" }, explorer.count(tokens)),
                shown.map(({ points }) => {
                  const cell = explorer.el(
                    "td",
                    {
                      class: "number",
                      title:
                        points[t][2] === null
                          ? null
                          : `${explorer.signed(points[t][2])} to ${explorer.signed(points[t][3])}`,
                    },
                    explorer.signed(points[t][1]),
                  );
                  cell.style.background = explorer.shade("preference", points[t][1]);
                  return cell;
                }),
              ),
            ),
          ),
        ),
      );
    };
    const csv = () => [
      ["tokens", "name", "occurrences in sample", "preference (nats)", "low", "high"],
      series().flatMap(({ name, count, points }) =>
        points.map(([tokens, mean, low, high]) => [tokens, name, count, mean, low, high]),
      ),
    ];
    if (preferences) {
      const word = explorer.el("input", {
        type: "search",
        size: "14",
        placeholder: "add a word",
        list: "sampled-types",
        autocomplete: "off",
      });
      const often = [...emerged.piece_id.keys()].sort((a, b) => emerged.count[b] - emerged.count[a]).slice(0, 300);
      const list = explorer.el(
        "datalist",
        { id: "sampled-types" },
        often.map((k) => explorer.el("option", { value: types.piece[types.placeOfId.get(emerged.piece_id[k])] ?? "" })),
      );
      const chips = explorer.el("span", { class: "chips" });
      const drawChips = () =>
        chips.replaceChildren(
          ...state.words.map((name) =>
            explorer.el(
              "button",
              {
                type: "button",
                title: "take away",
                click: () => {
                  state.words = state.words.filter((each) => each !== name);
                  drawChips();
                  update();
                },
              },
              explorer.bdi(name),
              " ×",
            ),
          ),
        );
      const boxes = preferences.classes.map(({ name }) =>
        explorer.checkbox(className(name), state.classes.includes(name), (value) => {
          state.classes = value ? [...state.classes, name] : state.classes.filter((each) => each !== name);
          update();
        }),
      );
      place.append(
        explorer.el(
          "form",
          {
            class: "bar",
            submit: (event) => {
              event.preventDefault();
              const name = word.value.trim();
              if (name && !state.words.includes(name)) state.words.push(name);
              word.value = "";
              drawChips();
              update();
            },
          },
          explorer.field("word", word),
          list,
          explorer.el("button", {}, "add"),
          chips,
          summary.contrasts.length > 1
            ? explorer.field(
                "preference",
                explorer.select(
                  summary.contrasts.map(({ suffix, name }) => [suffix, name]),
                  state.of,
                  (value) => {
                    state.of = value;
                    keep();
                    explorer.render();
                  },
                ),
              )
            : null,
        ),
        explorer.el("fieldset", { class: "bar" }, explorer.el("legend", {}, "classes"), boxes),
        told,
        chart.place,
        explorer.el(
          "p",
          { class: "tools" },
          chart.save,
          " ",
          explorer.csvButton(`${summary.name}-emergence`, csv),
          ` Preference, ${summary.contrasts.find(({ suffix }) => suffix === state.of).name}, minus the mean of all ` +
            "words, on the sample of held-out text that each evaluation reads. Bands are intervals over documents. " +
            "Within the grey band around 0, readouts alone may make a preference.",
        ),
        table,
      );
      drawChips();
      update();
    } else place.append(explorer.el("p", { class: "told" }, "A single tower has no preference."));
    place.append(
      explorer.el("h2", {}, "How well each head predicts the held-out sample"),
      nats.place,
      explorer.el(
        "p",
        { class: "tools" },
        nats.save,
        " ",
        explorer.csvButton(`${summary.name}-nats`, () => [
          ["tokens", ...Object.keys(emerged.nats)],
          emerged.tokens.map((tokens, t) => [tokens, ...Object.values(emerged.nats).map((values) => values[t])]),
        ]),
        " Nats per token; lower is better.",
      ),
    );
    nats.show(
      Object.entries(emerged.nats).map(([head, values]) => ({
        name: summary.head_names[head],
        color: { joint: "ink", readout_1: "blue", readout_2: "orange" }[head], // as everywhere on these pages
        points: values.map((value, t) => [emerged.tokens[t], value]),
      })),
      { x: "tokens of training", y: "nats per token" },
    );
  };

  explorer.views.push({ key: "training", label: "Training", show });
})();
