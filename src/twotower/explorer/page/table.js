"use strict";
// A table of any length: only the rows in sight are on the page.
(() => {
  const ROW = 30,
    SPARE = 8;

  /**
   * `columns`: { key, label, title, number, width, value(row), cell(row), csv(row) }; rows are numbers.
   * `sorted` is { key, descending }; `onsort(sorted)` is told. Returns { place, show(rows), rows() } in sorted order.
   */
  explorer.table = ({ columns, sorted, onsort, caption, height = 520, tall = ROW }) => {
    let rows = [],
      current = null,
      order = { ...sorted };
    const head = explorer.el("tr", { "aria-rowindex": "1" });
    const body = explorer.el("tbody");
    const group = explorer.el(
      "colgroup",
      {},
      columns.map(({ width }) => {
        const made = explorer.el("col");
        if (width) made.style.width = width;
        return made;
      }),
    );
    const table = explorer.el(
      "table",
      { class: "rows" },
      explorer.el("caption", { class: "hidden" }, caption),
      group,
      explorer.el("thead", {}, head),
      body,
    );
    const least = columns.reduce((sum, { width }) => sum + (parseFloat(width) || 12), 0);
    table.style.minWidth = `${least}em`;
    const place = explorer.el(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
      table,
    );
    place.style.maxHeight = `${height}px`;
    place.style.maxWidth = `${1.5 * least}em`; // wider, a row could not be followed from its name to its numbers

    const drawHead = () =>
      head.replaceChildren(
        ...columns.map((column) => {
          const mine = order.key === column.key;
          const sort = () => {
            order = { key: column.key, descending: mine ? !order.descending : Boolean(column.number) };
            onsort?.(order);
            arrange();
          };
          return explorer.el(
            "th",
            {
              scope: "col",
              class: column.number ? "number" : null,
              title: column.title,
              "aria-sort": mine ? (order.descending ? "descending" : "ascending") : "none",
            },
            column.value
              ? explorer.el(
                  "button",
                  { type: "button", click: sort },
                  column.label,
                  mine ? (order.descending ? " ▾" : " ▴") : "",
                )
              : column.label,
          );
        }),
      );

    const spacer = (count) => {
      const cell = explorer.el("td", { colspan: columns.length });
      cell.style.height = `${count * tall}px`;
      return explorer.el("tr", { "aria-hidden": "true", class: "spacer" }, cell);
    };
    let drawn = "";
    const draw = (again = false) => {
      const first = Math.max(0, Math.floor(place.scrollTop / tall) - SPARE);
      const last = Math.min(rows.length, first + Math.ceil(height / tall) + 2 * SPARE);
      const now = `${first}-${last}`;
      if (!again && now === drawn) return;
      drawn = now;
      const shown = rows.slice(first, last).map((row, number) => {
        const cells = columns.map(({ number: right, cell }) =>
          explorer.el("td", { class: right ? "number" : null }, cell(row)),
        );
        const made = explorer.el(
          "tr",
          { "aria-rowindex": first + number + 2, "aria-current": row === current ? "true" : null },
          cells,
        );
        made.style.height = `${tall}px`;
        return made;
      });
      body.replaceChildren(spacer(first), ...shown, spacer(rows.length - last));
    };
    const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
    const arrange = () => {
      const column = columns.find(({ key }) => key === order.key);
      if (column?.value) {
        const keyed = Array.from(rows, (row) => [column.value(row), row]);
        const missing = ([value]) => value === null || value === undefined;
        const sign = order.descending ? -1 : 1;
        keyed.sort((a, b) => missing(a) - missing(b) || (missing(a) ? 0 : sign * compare(a[0], b[0])) || a[1] - b[1]);
        rows = keyed.map(([, row]) => row);
      }
      drawHead();
      place.scrollTop = 0;
      table.setAttribute("aria-rowcount", String(rows.length + 1));
      draw(true);
    };
    place.addEventListener("scroll", () => draw(), { passive: true });
    const csv = () => [
      columns.map((column) => column.csvLabel || column.label),
      rows.map((row) => columns.map((column) => (column.csv || column.value || (() => ""))(row))),
    ];
    /** Put a row in sight, and mark it as the current one. */
    const reveal = (row) => {
      current = row;
      place.scrollTop = Math.max(0, (rows.indexOf(row) - 3) * tall);
      draw(true);
    };
    return {
      place,
      reveal,
      show: (given) => {
        rows = Array.from(given);
        arrange();
      },
      rows: () => rows,
      csv,
      redraw: () => draw(true),
    };
  };

  /** The number and the name of each document, with a link to its text; `by` gives what it is coloured by there. */
  explorer.documentColumns = (documents, run, by) => [
    {
      key: "number",
      label: "no.",
      number: true,
      width: "4em",
      value: (row) => row + 1,
      cell: (row) => explorer.count(row + 1),
    },
    {
      key: "name",
      label: "document",
      value: (row) => documents.name[row],
      cell: (row) =>
        explorer.el(
          "a",
          { href: explorer.link("text", { run: run || "", document: row, by: by() }), title: documents.name[row] },
          explorer.bdi(documents.name[row]),
        ),
    },
  ];
})();
