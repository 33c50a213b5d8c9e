"use strict";
// Which view is shown: the address says so.
(() => {
  const view = document.getElementById("view"),
    tabs = document.getElementById("tabs");
  let turn = 0;

  explorer.render = async () => {
    const mine = ++turn,
      { view: key, given } = explorer.address();
    const run = Math.min(Math.max(0, Number(given.get("run")) || 0), explorer.runs.length - 1);
    const summary = explorer.runs[run];
    const has = (name) => summary.views.includes(name);
    const chosen = explorer.views.find((each) => each.key === key && has(key)) || explorer.views[0];
    explorer.readFilter(given);
    explorer.untip();
    for (const link of tabs.querySelectorAll("a")) {
      if (link.dataset.key === chosen.key) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
      link.href = explorer.link(link.dataset.key, { run: run || "" });
      link.parentNode.hidden = !has(link.dataset.key);
    }
    document.getElementById("run").value = String(run);
    document.title = `${chosen.label} · ${summary.name} · twotower explorer`;
    about(summary);
    const place = explorer.el("div", { class: chosen.key });
    view.replaceChildren(explorer.el("p", { class: "told" }, "…"));
    try {
      // Laid out before it is filled: figures take their width from where they stand.
      view.replaceChildren(place);
      await explorer.showFilter(run, chosen.filtered === true || (explorer.live && chosen.filtered === "live"));
      await chosen.show(place, run, given);
    } catch (error) {
      if (mine === turn) view.replaceChildren(explorer.failure(error));
      if (!(error instanceof Error) || error instanceof TypeError || error instanceof ReferenceError)
        console.error(error);
    }
    if (mine === turn) view.dataset.shown = chosen.key;
  };

  const about = (run) => {
    const sample =
      !explorer.live && run.exported_documents < run.heldout_documents
        ? ` This folder holds ${explorer.count(run.exported_documents)} of them; concordances count those.`
        : "";
    document
      .getElementById("about")
      .replaceChildren(
        explorer.bdi(run.name),
        ` · ${run.about} · corpus `,
        explorer.bdi(run.corpus),
        ` · ${explorer.count(run.heldout_tokens)} ${run.counted} in ` +
          `${explorer.count(run.heldout_documents)} documents.${sample}`,
      );
  };

  const start = async () => {
    explorer.applyTheme();
    try {
      explorer.runs = await explorer.whole("runs");
    } catch (error) {
      view.replaceChildren(explorer.failure(error));
      return;
    }
    const select = document.getElementById("run");
    explorer.runs.forEach((run, number) =>
      select.append(explorer.el("option", { value: number }, `${number + 1}: ${run.name}`)),
    );
    document.getElementById("which").hidden = explorer.runs.length < 2;
    select.addEventListener("change", () => {
      const { view: key, given } = explorer.address();
      given.set("run", select.value);
      location.hash = explorer.link(key, Object.fromEntries(given));
    });
    for (const { key, label } of explorer.views) {
      tabs.append(explorer.el("li", {}, explorer.el("a", { href: `#${key}`, "data-key": key }, label)));
    }
    addEventListener("hashchange", explorer.render);
    await explorer.render();
  };
  start();
})();
