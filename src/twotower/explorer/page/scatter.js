"use strict";
// Points with labels that appear as one zooms in. Wheel or + and − zoom, dragging or arrows move, 0 shows all.
(() => {
  const MARGIN = { left: 66, right: 24, top: 14, bottom: 46 };
  const FEW = 300; // points that labels keep clear of
  const SHAPES = { function: "square", content: "circle", other: "triangle" };

  /** Where round counts stand on an axis of logarithms, and what they are called; powers of ten where there is room. */
  const countTicks = (low, high, wanted) => {
    const ticks = [];
    for (let power = 0; power < 10; power++)
      for (const first of high - low > wanted / 2 ? [1] : [1, 2, 5]) {
        const count = first * 10 ** power,
          at = Math.log10(count + 1);
        if (at >= low && at <= high) ticks.push([at, explorer.count(count)]);
      }
    return ticks;
  };

  /**
   * `show(points, axes)`: points { x, y, label, group, weight, row }, drawn in their order and labelled by weight;
   * axes { x, y, diagonal, zero, at (of the line of zero), counts (x is the logarithm of one more than a count),
   * corners: [upper left, lower right] }. `onpick(point)`, `tip(point)` gives lines;
   * `zoomed(view)` is told of the view, [x0, x1, y0, y1] or null for all.
   */
  explorer.scatter = ({ name, label, onpick, tip, zoomed, view: asked = null, square = true }) => {
    let points = [],
      weighty = [],
      axes = {},
      all = [0, 1, 0, 1],
      view = asked,
      marked = null,
      placed = [];
    const frame = (width, height) => ({
      x: MARGIN.left,
      y: MARGIN.top,
      w: width - MARGIN.left - MARGIN.right,
      h: height - MARGIN.top - MARGIN.bottom,
    });
    const scales = (width, height) => {
      const { x, y, w, h } = frame(width, height);
      const [x0, x1, y0, y1] = view || all;
      return {
        x: (value) => x + ((value - x0) / (x1 - x0)) * w,
        y: (value) => y + h - ((value - y0) / (y1 - y0)) * h,
        backX: (pixel) => x0 + ((pixel - x) / w) * (x1 - x0),
        backY: (pixel) => y0 + ((y + h - pixel) / h) * (y1 - y0),
      };
    };

    const draw = (surface, width, height, colors) => {
      const { x, y, w, h } = frame(width, height),
        to = scales(width, height),
        [x0, x1, y0, y1] = view || all;
      const across = axes.counts
        ? countTicks(x0, x1, w / 80)
        : explorer.ticks(x0, x1, w / 80).map((tick) => [
            tick,
            explorer.plain(tick, tick % 1 ? (Math.abs(x1 - x0) < 1 ? 2 : 1) : 0),
          ]);
      for (const [tick, said] of across) {
        surface.line(
          [
            [to.x(tick), y],
            [to.x(tick), y + h],
          ],
          colors.grid,
        );
        surface.text(said, to.x(tick), y + h + 16, colors.soft, { align: "center" });
      }
      for (const tick of explorer.ticks(y0, y1, h / 60)) {
        surface.line(
          [
            [x, to.y(tick)],
            [x + w, to.y(tick)],
          ],
          colors.grid,
        );
        surface.text(
          explorer.plain(tick, tick % 1 ? (Math.abs(y1 - y0) < 1 ? 2 : 1) : 0),
          x - 6,
          to.y(tick) + 4,
          colors.soft,
          { align: "end" },
        );
      }
      surface.text(axes.x || "", x + w / 2, height - 10, colors.ink, { align: "center", size: 13 });
      surface.text(axes.y || "", 14, y + h / 2, colors.ink, { align: "center", size: 13, turned: true });
      surface.clip(x, y, w, h, () => {
        if (axes.diagonal) {
          const low = Math.min(x0, y0),
            high = Math.max(x1, y1);
          surface.line(
            [
              [to.x(low), to.y(low)],
              [to.x(high), to.y(high)],
            ],
            colors.soft,
            1,
            [5, 4],
          );
        }
        if (axes.zero) {
          surface.line(
            [
              [x, to.y(axes.at ?? 0)],
              [x + w, to.y(axes.at ?? 0)],
            ],
            colors.soft,
            1,
            [5, 4],
          );
          if (axes.zero === "both")
            surface.line(
              [
                [to.x(0), y],
                [to.x(0), y + h],
              ],
              colors.soft,
              1,
              [5, 4],
            );
        }
        const many = points.length > 20_000; // squares are drawn ten times as fast as circles
        const size = many ? 1.2 : points.length > 3000 ? 2.4 : points.length > 400 ? 3 : 3.6;
        placed = [];
        for (const point of points) {
          const px = to.x(point.x),
            py = to.y(point.y);
          if (px < x - 5 || px > x + w + 5 || py < y - 5 || py > y + h + 5) continue;
          placed.push([px, py, point]);
          surface.mark(
            many ? "square" : SHAPES[point.group] || "circle",
            px,
            py,
            size,
            point.color ? colors[point.color] : explorer.classColor(point.group, colors),
            points.length > 1500 ? 0.65 : 0.85,
          );
        }
        labels(surface, x, y, w, h, colors);
        for (const point of marked ? points.filter((point) => marked.has(point.row)) : []) {
          surface.mark("circle", to.x(point.x), to.y(point.y), size + 2.5, colors.ink, 0.9);
          surface.text(point.label, to.x(point.x) + 8, to.y(point.y) + 4, colors.ink, {
            size: 13,
            halo: colors.ground,
          });
        }
      });
      (axes.corners || []).forEach((content, number) => {
        const options = { size: 12, halo: colors.ground, align: number ? "end" : "start" };
        surface.text(
          content,
          number ? x + w - 6 : x + 6,
          number ? y + h - 8 : y + 14,
          colors[number ? "blue" : "orange"],
          options,
        );
      });
    };

    /** As many labels as fit without touching, the weightiest first. */
    const labels = (surface, x, y, w, h, colors) => {
      const most = Math.floor((w * h) / 6500),
        taken = placed.length < FEW ? placed.map(([px, py]) => [px - 3, py - 3, px + 3, py + 3]) : [];
      if (axes.corners) taken.push([x, y, x + 190, y + 20], [x + w - 190, y + h - 24, x + w, y + h]);
      const free = (box) =>
        taken.every((other) => box[2] < other[0] || box[0] > other[2] || box[3] < other[1] || box[1] > other[3]);
      const to = scales(canvas.clientWidth, canvas.clientHeight);
      let [tried, written] = [0, 0];
      for (const point of weighty) {
        const px = to.x(point.x),
          py = to.y(point.y);
        if (px < x || px > x + w || py < y || py > y + h) continue;
        if (tried++ > 6 * most) break;
        const wide = surface.width(point.label, 11);
        for (const [dx, dy] of [
          [6, 4],
          [-6 - wide, 4],
          [-wide / 2, -7],
          [-wide / 2, 15],
        ]) {
          const [left, base] = [px + dx, py + dy];
          const box = [left - 1, base - 10, left + wide + 1, base + 2];
          if (left < x || left + wide > x + w || base - 10 < y || base > y + h || !free(box)) continue;
          taken.push(box);
          written++;
          surface.text(point.label, left, base, colors.ink, { size: 11, halo: colors.ground });
          break;
        }
        if (written >= most) break;
      }
    };

    const figure = explorer.figure({
      name,
      label,
      draw,
      height: (width) => (square ? Math.max(300, Math.min(640, width * 0.8)) : 320),
    });
    const { canvas } = figure;
    const set = (next) => {
      view = next;
      zoomed?.(view);
      figure.redraw();
    };
    const zoom = (factor, px, py) => {
      const to = scales(canvas.clientWidth, canvas.clientHeight),
        [x0, x1, y0, y1] = view || all;
      const cx = to.backX(px ?? canvas.clientWidth / 2),
        cy = to.backY(py ?? canvas.clientHeight / 2);
      const next = [
        cx - (cx - x0) * factor,
        cx + (x1 - cx) * factor,
        cy - (cy - y0) * factor,
        cy + (y1 - cy) * factor,
      ];
      set(next[1] - next[0] >= all[1] - all[0] ? null : next);
    };
    const move = (dx, dy) => {
      if (!view) return;
      const [x0, x1, y0, y1] = view;
      set([x0 + dx * (x1 - x0), x1 + dx * (x1 - x0), y0 + dy * (y1 - y0), y1 + dy * (y1 - y0)]);
    };
    const nearest = (event) => {
      const box = canvas.getBoundingClientRect(),
        mx = event.clientX - box.left,
        my = event.clientY - box.top;
      let best = null,
        least = 14 ** 2;
      for (const [px, py, point] of placed) {
        const apart = (px - mx) ** 2 + (py - my) ** 2;
        if (apart < least) [best, least] = [point, apart];
      }
      return best;
    };
    // The page scrolls with the wheel; with Ctrl, or once the figure has been clicked, the wheel zooms.
    canvas.addEventListener(
      "wheel",
      (event) => {
        if (!event.ctrlKey && document.activeElement !== canvas) return;
        event.preventDefault();
        zoom(event.deltaY > 0 ? 1.25 : 0.8, event.offsetX, event.offsetY);
      },
      { passive: false },
    );
    let dragged = null,
      moved = false;
    canvas.addEventListener("pointerdown", (event) => {
      dragged = [event.clientX, event.clientY];
      moved = false;
    });
    canvas.addEventListener("pointermove", (event) => {
      if (dragged && event.buttons) {
        const [dx, dy] = [event.clientX - dragged[0], event.clientY - dragged[1]];
        if (Math.hypot(dx, dy) > 3 && view) {
          moved = true;
          dragged = [event.clientX, event.clientY];
          const { w, h } = frame(canvas.clientWidth, canvas.clientHeight);
          move(-dx / w, dy / h);
        }
        return;
      }
      const point = nearest(event);
      canvas.style.cursor = point && onpick ? "pointer" : "";
      if (point) explorer.tip(tip(point), event.clientX, event.clientY);
      else explorer.untip();
    });
    canvas.addEventListener("pointerleave", explorer.untip);
    canvas.addEventListener("click", (event) => {
      const point = moved ? null : nearest(event);
      if (point) {
        explorer.untip();
        onpick?.(point);
      }
    });
    canvas.addEventListener("dblclick", () => set(null));
    canvas.addEventListener("keydown", (event) => {
      const acts = {
        "+": () => zoom(0.8),
        "=": () => zoom(0.8),
        "-": () => zoom(1.25),
        0: () => set(null),
        ArrowLeft: () => move(-0.1, 0),
        ArrowRight: () => move(0.1, 0),
        ArrowUp: () => move(0, 0.1),
        ArrowDown: () => move(0, -0.1),
      };
      if (acts[event.key] && !event.ctrlKey && !event.metaKey) {
        event.preventDefault();
        acts[event.key]();
      }
    });

    const button = (text, title, act) => explorer.el("button", { type: "button", title, click: act }, text);
    const controls = explorer.el(
      "span",
      { class: "zoom" },
      button("+", "Zoom in (key +)", () => zoom(0.6)),
      button("−", "Zoom out (key −)", () => zoom(1 / 0.6)),
      button("all", "Show all (key 0)", () => set(null)),
    );
    return {
      place: figure.place,
      save: figure.save,
      controls,
      show: (given, described) => {
        points = given;
        axes = described;
        weighty = [...points].sort((a, b) => b.weight - a.weight);
        const finite = points.length
          ? points
          : [
              { x: 0, y: 0 },
              { x: 1, y: 1 },
            ];
        const ends = (key) =>
          finite.reduce(
            ([low, high], point) => [Math.min(low, point[key]), Math.max(high, point[key])],
            [Infinity, -Infinity],
          );
        let [x0, x1] = ends("x"),
          [y0, y1] = ends("y");
        if (axes.diagonal) {
          x0 = y0 = Math.min(x0, y0);
          x1 = y1 = Math.max(x1, y1);
        }
        const room = (low, high) => {
          const spare = (high - low || 1) * 0.04;
          return [low - spare, high + spare];
        };
        all = [...room(x0, x1), ...room(y0, y1)];
        figure.redraw();
      },
      mark: (rows) => {
        marked = rows;
        figure.redraw();
      },
      label: figure.label,
    };
  };
})();
