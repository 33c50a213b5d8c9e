"use strict";
const tip = document.getElementById("tip");
let marked = null, byKey = false, kept = false;

function hide() {
  if (marked) marked.classList.remove("at");
  for (const line of document.querySelectorAll(".readout:not(:empty)")) line.textContent = "";
  marked = null;
  kept = false;
  tip.hidden = true;
}

// A mark of a figure tells what it is on the line below the figure, where it hides no other; all else in a tip.
function show(mark) {
  if (mark === marked) return;
  hide();
  marked = mark;
  mark.classList.add("at");
  const line = mark.closest(".plot")?.querySelector(".readout");
  if (line) {
    line.textContent = mark.dataset.tip;
    return;
  }
  tip.textContent = mark.dataset.tip;
  tip.hidden = false;
  const box = mark.getBoundingClientRect(), own = tip.getBoundingClientRect();
  const left = box.left + box.width / 2 - own.width / 2;
  tip.style.left = `${Math.max(8, Math.min(left, innerWidth - own.width - 8))}px`;
  tip.style.top = `${box.top - own.height - 8 > 0 ? box.top - own.height - 8 : box.bottom + 8}px`;
}

// A term opens where it stands; its list at the foot of the page is for those who read without scripts.
document.addEventListener("click", event => {
  const term = event.target.closest("a.term");
  if (!term) return;
  event.preventDefault();
  if (kept && marked === term) return hide();
  show(term);
  kept = true;
});

// Marks are small: the nearest one within reach answers, not only the one under the pointer.
const REACH = 14;
function nearest(plot, x, y) {
  let best = null, least = REACH;
  for (const mark of marksOf(plot)) {
    const box = mark.getBoundingClientRect();
    const across = Math.max(box.left - x, 0, x - box.right), up = Math.max(box.top - y, 0, y - box.bottom);
    const distance = Math.hypot(across, up);
    if (distance < least) [best, least] = [mark, distance];
  }
  return best;
}

function marksOf(group) {
  return [...group.querySelectorAll("[data-tip]")].filter(mark => mark.getClientRects().length);
}

document.addEventListener("pointermove", event => {
  byKey = false;
  if (kept) return;
  const group = event.target.closest(".plot");
  const mark = event.target.closest("[data-tip]") || (group && nearest(group, event.clientX, event.clientY));
  if (mark) show(mark); else hide();
});
document.addEventListener("focusin", event => event.target.dataset.tip ? show(event.target) : hide());
document.addEventListener("scroll", () => byKey || hide(), {capture: true, passive: true});

// Arrow keys go to the nearest mark in their direction, in a passage also on to the next line; Escape leaves the marks.
const ARROWS = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};
const middle = mark => {
  const box = mark.getBoundingClientRect();
  return [box.left + box.width / 2, box.top + box.height / 2];
};
function towards(marks, from, [across, down]) {
  const [x, y] = middle(from);
  let best = null, least = Infinity;
  for (const mark of marks) {
    const [right, below] = [middle(mark)[0] - x, middle(mark)[1] - y];
    const ahead = right * across + below * down, aside = Math.abs(right * down) + Math.abs(below * across);
    if (ahead > 0.5 && ahead + 3 * aside < least) [best, least] = [mark, ahead + 3 * aside];
  }
  return best;
}
document.addEventListener("keydown", event => {
  byKey = true;
  if (event.key === "Escape") return hide();
  const group = event.target.closest(".plot, .passage");
  if (!group || event.target !== group || !ARROWS[event.key]) return;
  const marks = marksOf(group);
  if (!marks.length) return;
  event.preventDefault();
  const place = marks.indexOf(marked), step = ARROWS[event.key][0];
  const inOrder = group.matches(".passage") && step;
  const next = place < 0 ? marks[0] : inOrder ? marks[place + step] : towards(marks, marked, ARROWS[event.key]);
  if (!next) return;
  next.scrollIntoView({block: "nearest"});
  show(next);
});

const data = document.getElementById("type-rows");
if (data) {
  const {rows, pair} = JSON.parse(data.textContent);
  const body = document.querySelector("#types tbody");
  const search = document.getElementById("search"), told = document.getElementById("found");
  const whole = document.getElementById("whole");
  const heads = [...document.querySelectorAll("#types th")];
  const LIMIT = 400;
  let order = {column: 4, descending: true};
  const compare = (a, b) => typeof a === "string" ? a.localeCompare(b) : (a ?? -Infinity) - (b ?? -Infinity);
  const fixed = value => (Number(value.toFixed(2)) < 0 ? "−" : "") + Math.abs(value).toFixed(2);
  const said = (value, column) =>
    value === null ? "–" : column > 3 ? fixed(value) : column > 1 ? value.toLocaleString("en") : value;
  const fill = () => {
    const wanted = search.value.trim().toLowerCase();
    const isHit = ([piece, wordClass]) => piece.toLowerCase().includes(wanted) || wordClass.toLowerCase() === wanted;
    const isShown = row => !whole?.checked || row[1] !== "part of a word";
    const hits = rows.filter(row => isShown(row) && (!wanted || isHit(row)));
    const sign = order.descending ? -1 : 1, half = LIMIT / 2;
    hits.sort((a, b) => sign * compare(a[order.column], b[order.column]));
    const shown = hits.length > LIMIT ? hits.slice(0, half).concat(hits.slice(-half)) : hits;
    body.replaceChildren(...shown.map(row => {
      const line = document.createElement("tr");
      row.forEach((value, column) => {
        const cell = document.createElement("td");
        cell.textContent = said(value, column);
        if (column === 1) cell.className = "left";
        if (pair && column === 4) cell.style.color = `var(--tower-${value > 0 ? 1 : 2})`;
        line.append(cell);
      });
      return line;
    }));
    heads.forEach((head, column) => {
      if (column === order.column) head.setAttribute("aria-sort", order.descending ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    const some = hits.length > LIMIT ? `; the first ${half} and the last ${half} are shown` : "";
    told.textContent = `${hits.length.toLocaleString("en")} types${some}`;
  };
  search.addEventListener("input", fill);
  whole?.addEventListener("change", fill);
  heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
    order = {column, descending: order.column === column ? !order.descending : column > 1};
    fill();
  }));
  fill();
}
