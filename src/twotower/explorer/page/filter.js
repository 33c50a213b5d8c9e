"use strict";
// Which held-out documents are looked at: part of the address, and so of every view and of every link.
(() => {
  const NAMES = ["in", "since", "until"];
  const ANYTIME = [1, 9999];

  explorer.filter = {};
  explorer.readFilter = (given) => {
    explorer.filter = Object.fromEntries(
      NAMES.map((name) => [name, given.get(name) || ""]).filter(([, text]) => text),
    );
  };
  const year = (text, usual) => (/^\d{1,4}$/.test(text ?? "") && Number(text) >= 1 ? Number(text) : usual);
  /** The filter as the server takes it: what is no year is none. */
  explorer.filterAsked = () => {
    const { in: name, since, until } = explorer.filter;
    const asked = { in: name || "", since: year(since, ANYTIME[0]), until: year(until, ANYTIME[1]) };
    return Object.keys(explorer.filter).length ? asked : {};
  };

  /** For each held-out document whether it passes, as `ExploredRun.chosen_documents` has it. */
  explorer.passes = (documents) => {
    const { in: name = "", since = ANYTIME[0], until = ANYTIME[1] } = explorer.filterAsked();
    const wanted = name.toLowerCase(),
      anytime = since === ANYTIME[0] && until === ANYTIME[1];
    return documents.name.map((document, number) => {
      const when = documents.year[number];
      return document.toLowerCase().includes(wanted) && (when === null ? anytime : since <= when && when <= until);
    });
  };

  /** Groups of documents by when they were written, or by their place in the corpus where nobody says. */
  explorer.periods = (documents) => {
    const known = documents.year.filter((when) => when !== null);
    if (known.length < 2 || Math.min(...known) === Math.max(...known)) {
      const tenth = Math.max(1, Math.ceil(documents.name.length / 10));
      return documents.name.map((_, number) => {
        const first = Math.floor(number / tenth) * tenth;
        return { label: `documents ${first + 1} to ${Math.min(first + tenth, documents.name.length)}`, order: first };
      });
    }
    const span = Math.max(...known) - Math.min(...known);
    const width = [1, 2, 5, 10, 20, 25, 50, 100].find((years) => span / years <= 12) ?? 200;
    return documents.year.map((when) => {
      if (when === null) return { label: "no year", order: Infinity };
      const first = Math.floor(when / width) * width;
      return {
        label: width === 1 ? `${first}` : `${first} to ${first + width - 1}`,
        order: first,
        since: first,
        until: first + width - 1,
      };
    });
  };

  const form = document.getElementById("filter"),
    note = document.getElementById("filtered");
  const go = (changed) => {
    const { view, given } = explorer.address();
    for (const name of NAMES) given.delete(name);
    explorer.filter = Object.fromEntries(Object.entries(changed).filter(([, text]) => text));
    location.hash = explorer.link(view, Object.fromEntries(given));
  };
  /** Draw the bar for a run, and say how many documents pass, or that the view shows all of them. */
  explorer.showFilter = async (run, applies) => {
    const documents = await explorer.whole("documents", run);
    const passed = explorer.passes(documents).filter(Boolean).length;
    const some = Object.keys(explorer.filter).length > 0;
    const box = (name, label, width, title) =>
      explorer.field(
        label,
        explorer.el("input", {
          type: "search",
          name,
          value: explorer.filter[name] || "",
          size: width,
          autocomplete: "off",
          inputmode: name === "in" ? null : "numeric",
        }),
        title,
      );
    const years = documents.year.some((when) => when !== null);
    form.replaceChildren(
      box("in", "documents with", 14, "Part of a document's name; the filter stays over all views"),
      ...(years ? [box("since", "since", 5, "First year"), box("until", "until", 5, "Last year")] : []),
      explorer.el("button", {}, "filter"),
      ...(some
        ? [explorer.el("button", { type: "button", class: "plainly", click: () => go({}) }, "all documents")]
        : []),
    );
    note.textContent = !some
      ? ""
      : applies
        ? `${explorer.count(passed)} of ${explorer.count(documents.name.length)} documents pass`
        : "the filter is kept; this view shows all documents";
    form.hidden = !applies && !some;
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    go(Object.fromEntries(new FormData(form)));
  });
})();
