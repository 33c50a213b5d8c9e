"use strict";
// Lines with bands, named at their ends.
(() => {
  const DASHES = [[], [6, 3], [2, 3], [8, 3, 2, 3]];
  const MARGIN = { left: 66, top: 12, bottom: 44 };

  /**
   * `show(series, axes)`: series { name, points: [[x, y, low, high]], title, color }; axes { x, y, zero, floor }.
   * `floor` [[x, y]] is a band around zero, from −y to y.
   */
  explorer.lines = ({ name, label, height = 360 }) => {
    let series = [],
      axes = {},
      spots = [];
    const draw = (surface, width, tall, colors) => {
      spots = [];
      const right = 16 + Math.max(0, ...series.map((line) => surface.width(line.name, 12)));
      const x = MARGIN.left,
        y = MARGIN.top,
        w = width - x - right,
        h = tall - y - MARGIN.bottom;
      const known = series.flatMap((line) => line.points).filter((point) => point[1] !== null);
      if (!known.length) return;
      const xs = known.map((point) => point[0]),
        ys = known.flatMap((point) => point.slice(1)).filter((value) => value !== null && value !== undefined);
      if (axes.zero) ys.push(0);
      const floor = (axes.floor || []).filter((point) => point[1] !== null);
      ys.push(...floor.flatMap(([, value]) => [-value, value]));
      let [x0, x1, y0, y1] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
      if (x0 === x1) x0 = 0;
      const spare = (y1 - y0 || 1) * 0.06;
      y0 -= spare;
      y1 += spare;
      const toX = (value) => x + ((value - x0) / (x1 - x0)) * w,
        toY = (value) => y + h - ((value - y0) / (y1 - y0)) * h;
      if (floor.length > 1)
        surface.area(
          [...floor.map((p) => [toX(p[0]), toY(p[1])]), ...floor.toReversed().map((p) => [toX(p[0]), toY(-p[1])])],
          colors.soft,
        );
      for (const tick of explorer.ticks(y0, y1, h / 50)) {
        surface.line(
          [
            [x, toY(tick)],
            [x + w, toY(tick)],
          ],
          tick === 0 && axes.zero ? colors.soft : colors.grid,
          1,
          tick === 0 && axes.zero ? [5, 4] : [],
        );
        surface.text(
          explorer.plain(tick, y1 - y0 < 0.5 ? 2 : y1 - y0 < 5 ? 1 : 0),
          x - 6,
          toY(tick) + 4,
          colors.soft,
          { align: "end" },
        );
      }
      for (const tick of explorer.ticks(x0, x1, w / 75))
        surface.text(short(tick), toX(tick), y + h + 16, colors.soft, { align: "center" });
      surface.text(axes.x || "", x + w / 2, tall - 8, colors.ink, { align: "center", size: 13 });
      surface.text(axes.y || "", 14, y + h / 2, colors.ink, { align: "center", size: 13, turned: true });
      const ends = [];
      series.forEach((line, number) => {
        const color = colors[line.color] || colors.lines[number % colors.lines.length],
          dash = DASHES[Math.floor(number / colors.lines.length) % DASHES.length];
        const points = line.points.filter((point) => point[1] !== null);
        if (!points.length) return;
        const banded = points.filter((point) => point[2] !== null && point[2] !== undefined && point[3] !== null);
        if (banded.length > 1)
          surface.area(
            [...banded.map((p) => [toX(p[0]), toY(p[2])]), ...banded.toReversed().map((p) => [toX(p[0]), toY(p[3])])],
            color,
          );
        surface.line(
          points.map((p) => [toX(p[0]), toY(p[1])]),
          color,
          2,
          dash,
        );
        for (const p of points) {
          surface.mark("circle", toX(p[0]), toY(p[1]), 3, color);
          spots.push([toX(p[0]), toY(p[1]), line, p]);
        }
        ends.push({ at: toY(points.at(-1)[1]), from: toX(points.at(-1)[0]), name: line.name, color });
      });
      ends.sort((a, b) => a.at - b.at);
      ends.forEach((end, k) => {
        end.y = k ? Math.max(end.at, ends[k - 1].y + 14) : end.at;
      });
      const over = ends.length ? Math.max(0, ends.at(-1).y - (y + h)) : 0;
      for (const end of ends) surface.text(end.name, end.from + 8, end.y - over + 4, end.color, { size: 12 });
    };
    const figure = explorer.figure({ name, label, height, draw });
    figure.canvas.addEventListener("pointermove", (event) => {
      const near = spots.filter(([px, py]) => Math.hypot(px - event.offsetX, py - event.offsetY) < 14);
      if (!near.length) {
        explorer.untip();
        return;
      }
      const [, , line, [at, value, low, high]] = near[0];
      const interval =
        low === null || low === undefined ? "" : ` (${explorer.signed(low)} to ${explorer.signed(high)})`;
      explorer.tip(
        [
          line.name,
          `${explorer.count(at)} tokens: ${axes.zero ? explorer.signed(value) : explorer.plain(value)} ` +
            `nats${interval}`,
          ...(line.title ? [line.title] : []),
        ],
        event.clientX,
        event.clientY,
      );
    });
    figure.canvas.addEventListener("pointerleave", explorer.untip);
    return {
      ...figure,
      show: (given, described) => {
        series = given;
        axes = described;
        figure.redraw();
      },
    };
  };
  const short = (value) =>
    value >= 1e6
      ? `${Number((value / 1e6).toPrecision(3))}M`
      : value >= 1e3
        ? `${Number((value / 1e3).toPrecision(3))}k`
        : String(value);
})();
