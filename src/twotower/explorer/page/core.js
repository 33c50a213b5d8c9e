"use strict";
// The one global. Text from a corpus reaches the page through `textContent` alone.
const explorer = { views: [], runs: [], live: document.body.dataset.mode === "live" };

(() => {
  /** An element with attributes (functions are listeners, `true` is an empty attribute) and children. */
  explorer.el = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (typeof value === "function") made.addEventListener(name, value);
      else if (value === true) made.setAttribute(name, "");
      else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, String(value));
    }
    for (const child of children.flat()) if (child !== null && child !== undefined) made.append(child);
    return made;
  };

  /** A text of the corpus as an element of its own direction: a right-to-left word turns nothing else round. */
  explorer.bdi = (text, attributes = {}) => explorer.el("bdi", attributes, String(text));

  /** A sentence with its `commands` as code. */
  explorer.prose = (text) => text.split("`").map((part, k) => (k % 2 ? explorer.el("code", {}, part) : part));

  /** What has gone wrong, as a line of the page. */
  explorer.failure = (error) =>
    explorer.el("p", { class: "failure", role: "alert" }, explorer.prose(error.message || String(error)));

  /** A labelled control. */
  explorer.field = (label, control, title) => explorer.el("label", { class: "field", title }, label, " ", control);

  explorer.select = (options, chosen, onchange) => {
    const made = explorer.el("select", { change: () => onchange(made.value) });
    for (const [value, label] of options) {
      made.append(explorer.el("option", { value, selected: String(value) === String(chosen) }, label));
    }
    return made;
  };

  explorer.checkbox = (label, checked, onchange, title) => {
    const box = explorer.el("input", { type: "checkbox", change: () => onchange(box.checked) });
    box.checked = checked;
    return explorer.el("label", { class: "field", title }, box, " ", label);
  };

  // The address: #view?name=value. What a view shows is in it, so that it can be kept and sent.
  explorer.address = () => {
    const [view, query] = location.hash.slice(1).split("?", 2);
    return { view: view || "words", given: new URLSearchParams(query || "") };
  };
  explorer.link = (view, given) => {
    const kept = Object.entries({ ...explorer.filter, ...given }).filter(
      ([, value]) => value !== "" && value !== null && value !== undefined && value !== false,
    );
    const query = new URLSearchParams(
      kept.map(([name, value]) => [name, value === true ? "1" : String(value)]),
    ).toString();
    return `#${view}${query ? `?${query}` : ""}`;
  };
  /** Write what a view shows into the address, without drawing it again; not if the reader has gone on to another. */
  explorer.remember = (view, given) => {
    if (explorer.address().view === view) history.replaceState(null, "", explorer.link(view, given));
  };

  explorer.count = (value) => (value === null || value === undefined ? "–" : value.toLocaleString("en"));
  /** A preference or a difference: with its sign. */
  explorer.signed = (value, digits = 2) => {
    if (value === null || value === undefined || Number.isNaN(value)) return "–";
    const text = Math.abs(value).toFixed(digits);
    return (value < 0 && Number(text) !== 0 ? "−" : "+") + text;
  };
  /** A log-probability. */
  explorer.plain = (value, digits = 2) =>
    value === null || value === undefined || Number.isNaN(value) ? "–" : value.toFixed(digits).replace("-", "−");

  explorer.download = (name, kind, content) => {
    const address = URL.createObjectURL(new Blob([content], { type: kind }));
    const link = explorer.el("a", { href: address, download: name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  };

  /** CSV (RFC 4180). A spreadsheet takes a text that begins with = + - @ for a formula: it gets an apostrophe first. */
  explorer.csv = (header, rows) => {
    const cell = (value) => {
      if (value === null || value === undefined) return "";
      if (typeof value === "number") return String(value);
      const text = /^[=+\-@\t\r]/.test(String(value)) ? `'${value}` : String(value);
      return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    };
    return [header, ...rows].map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
  };
  explorer.csvButton = (name, table) =>
    explorer.el(
      "button",
      {
        type: "button",
        class: "save",
        click: () => explorer.download(`${name}.csv`, "text/csv;charset=utf-8", "\ufeff" + explorer.csv(...table())),
      },
      "CSV",
    );

  // One tip for the whole page.
  const tip = document.getElementById("tip");
  explorer.tip = (lines, x, y) => {
    tip.replaceChildren(...lines.map((line) => explorer.el("div", {}, line)));
    tip.hidden = false;
    const { width, height } = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(4, Math.min(x + 14, innerWidth - width - 8))}px`;
    tip.style.top = `${y + 18 + height > innerHeight ? Math.max(4, y - height - 12) : y + 18}px`;
  };
  explorer.untip = () => {
    tip.hidden = true;
  };

  /** What each measure is called, for people. */
  explorer.measureName = (run, measure) => {
    if (run.head_names[measure]) return `log-probability, ${run.head_names[measure]}`;
    const contrast = run.contrasts.find((contrast) => measure === `preference${contrast.suffix}`);
    if (contrast) return `preference: ${contrast.name}`;
    const [, number, suffix] = /^set(\d+)(_\d+)?$/.exec(measure) ?? [];
    const whose = suffix ? ` of ${explorer.sideOf(run, suffix)}` : "";
    return number ? `preference${whose}, set ${number} of readouts` : measure;
  };
  /** Whose preference it is: the tower or the model that a suffix, such as `_2`, names. */
  explorer.sideOf = (run, suffix) => run.sides[Number(suffix.slice(1)) - 1];
  explorer.isPreference = (measure) => /^(preference|mean|under_|set\d)/.test(measure);
  /** The names under which the sets of readouts give a preference, `preference` or `preference_K`. */
  explorer.setsOf = (run, measure) =>
    run.measures.filter((name) => /^set\d/.test(name) && name.replace(/^set\d+/, "preference") === measure);
  /** How far the sets of readouts go apart: from the least to the most. */
  explorer.range = (values) =>
    values.length ? `${explorer.signed(Math.min(...values))} … ${explorer.signed(Math.max(...values))}` : "";

  /** A number on the colour that the measure gives it. */
  explorer.swatch = (measure, value, text = explorer.signed(value)) => {
    const made = explorer.el("span", { class: "swatch" }, text);
    made.style.background = explorer.shade(measure, value);
    return made;
  };
  /** A value of a measure: preferences have a sign. */
  explorer.shown = (measure, value) =>
    explorer.isPreference(measure) ? explorer.signed(value) : explorer.plain(value);

  explorer.shownPiece = (piece) => piece.replace(/^##/, "");
  const isJoin = (pieces, k) =>
    /^[-/]$/.test(pieces[k]) &&
    k > 0 &&
    k < pieces.length - 1 &&
    [k - 1, k + 1].every((beside) => /^[\p{L}\p{N}]+$/u.test(explorer.shownPiece(pieces[beside])));
  /** Whether no space stands before a piece, as far as pieces tell; the rules are those of `report/passages.py`. */
  explorer.isGlued = (pieces, k) => {
    const [earlier = "", before, piece] = [pieces[k - 2], pieces[k - 1], pieces[k]];
    if (k < 1) return false;
    return (
      piece.startsWith("##") ||
      /^[.,;:!?)\]}%’”]+$/.test(piece) ||
      /^[([{“$]$/.test(before) ||
      piece === "'" ||
      (before === "'" && (piece.length < 3 || !earlier.endsWith("s"))) ||
      (before === "," && /^\d{3}$/.test(piece) && /^\d{1,3}$/.test(earlier)) ||
      (piece === "-" && before === "-") ||
      isJoin(pieces, k) ||
      isJoin(pieces, k - 1)
    );
  };
  /** Words as a text, with the spaces that a reader expects. */
  explorer.joined = (words) => words.map((word, k) => (k && !explorer.isGlued(words, k) ? " " : "") + word).join("");
})();
