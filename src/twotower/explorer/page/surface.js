"use strict";
// One way to draw, onto a canvas for the page and as SVG for a paper.
(() => {
  const FONT = "system-ui, sans-serif";

  class CanvasSurface {
    constructor(context) {
      this.context = context;
    }
    line(points, color, width = 1, dash = []) {
      const c = this.context;
      c.beginPath();
      points.forEach(([x, y], place) => (place ? c.lineTo(x, y) : c.moveTo(x, y)));
      c.strokeStyle = color;
      c.lineWidth = width;
      c.setLineDash(dash);
      c.stroke();
      c.setLineDash([]);
    }
    area(points, color) {
      const c = this.context;
      c.beginPath();
      points.forEach(([x, y], place) => (place ? c.lineTo(x, y) : c.moveTo(x, y)));
      c.closePath();
      c.fillStyle = color;
      c.globalAlpha = 0.15;
      c.fill();
      c.globalAlpha = 1;
    }
    mark(shape, x, y, size, color, alpha = 1) {
      const c = this.context;
      c.fillStyle = color;
      c.globalAlpha = alpha;
      if (shape === "square") c.fillRect(x - size * 0.9, y - size * 0.9, size * 1.8, size * 1.8);
      else if (shape === "triangle") {
        c.beginPath();
        c.moveTo(x, y - size * 1.15);
        c.lineTo(x + size * 1.1, y + size * 0.85);
        c.lineTo(x - size * 1.1, y + size * 0.85);
        c.fill();
      } else {
        c.beginPath();
        c.arc(x, y, size, 0, 2 * Math.PI);
        c.fill();
      }
      c.globalAlpha = 1;
    }
    text(content, x, y, color, { size = 12, align = "start", turned = false, halo = "" } = {}) {
      const c = this.context;
      c.font = `${size}px ${FONT}`;
      c.textAlign = align;
      c.fillStyle = color;
      c.save();
      c.translate(x, y);
      if (turned) c.rotate(-Math.PI / 2);
      if (halo) {
        c.strokeStyle = halo;
        c.lineWidth = 3;
        c.lineJoin = "round";
        c.strokeText(content, 0, 0);
      }
      c.fillText(content, 0, 0);
      c.restore();
    }
    width(content, size = 12) {
      this.context.font = `${size}px ${FONT}`;
      return this.context.measureText(content).width;
    }
    clip(x, y, w, h, draw) {
      const c = this.context;
      c.save();
      c.beginPath();
      c.rect(x, y, w, h);
      c.clip();
      draw();
      c.restore();
    }
  }

  const escaped = (text) => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
  const n = (value) => Number(value.toFixed(2));

  class SvgSurface {
    constructor(measure) {
      this.parts = [];
      this.measure = measure;
      this.clips = 0;
    }
    line(points, color, width = 1, dash = []) {
      const path = points.map(([x, y]) => `${n(x)},${n(y)}`).join(" ");
      this.parts.push(
        `<polyline points="${path}" fill="none" stroke="${color}" stroke-width="${width}"` +
          `${dash.length ? ` stroke-dasharray="${dash.join(" ")}"` : ""}/>`,
      );
    }
    area(points, color) {
      this.parts.push(
        `<polygon points="${points.map(([x, y]) => `${n(x)},${n(y)}`).join(" ")}" ` +
          `fill="${color}" fill-opacity="0.15"/>`,
      );
    }
    mark(shape, x, y, size, color, alpha = 1) {
      const paint = `fill="${color}"${alpha < 1 ? ` fill-opacity="${n(alpha)}"` : ""}`;
      if (shape === "square")
        this.parts.push(
          `<rect x="${n(x - size * 0.9)}" y="${n(y - size * 0.9)}" width="${n(size * 1.8)}" ` +
            `height="${n(size * 1.8)}" ${paint}/>`,
        );
      else if (shape === "triangle")
        this.parts.push(
          `<polygon points="${n(x)},${n(y - size * 1.15)} ${n(x + size * 1.1)},${n(y + size * 0.85)} ` +
            `${n(x - size * 1.1)},${n(y + size * 0.85)}" ${paint}/>`,
        );
      else this.parts.push(`<circle cx="${n(x)}" cy="${n(y)}" r="${n(size)}" ${paint}/>`);
    }
    text(content, x, y, color, { size = 12, align = "start", turned = false, halo = "" } = {}) {
      const anchor = { start: "start", left: "start", center: "middle", end: "end", right: "end" }[align];
      const turn = turned ? ` transform="rotate(-90 ${n(x)} ${n(y)})"` : "";
      const around = halo ? ` stroke="${halo}" stroke-width="3" stroke-linejoin="round" paint-order="stroke"` : "";
      this.parts.push(
        `<text x="${n(x)}" y="${n(y)}" font-size="${size}" text-anchor="${anchor}" ` +
          `fill="${color}"${around}${turn}>${escaped(content)}</text>`,
      );
    }
    width(content, size = 12) {
      return this.measure.width(content, size);
    }
    clip(x, y, w, h, draw) {
      const id = `clip${++this.clips}`;
      this.parts.push(
        `<clipPath id="${id}"><rect x="${n(x)}" y="${n(y)}" width="${n(w)}" height="${n(h)}"/></clipPath><g ` +
          `clip-path="url(#${id})">`,
      );
      draw();
      this.parts.push("</g>");
    }
    whole(width, height, ground, title) {
      return (
        `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ` +
        `${width} ${height}" font-family="${FONT}"><title>${escaped(title)}</title><rect width="100%" ` +
        `height="100%" fill="${ground}"/>${this.parts.join("\n")}</svg>\n`
      );
    }
  }

  /** Round numbers between two ends, about `wanted` of them. */
  explorer.ticks = (low, high, wanted = 6) => {
    const rough = (high - low) / wanted;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].find((round) => round * power >= rough) * power;
    const ticks = [];
    for (let k = Math.ceil(low / step); k * step <= high + step * 1e-6; k++)
      ticks.push(Number((k * step).toPrecision(12)));
    return ticks;
  };

  /**
   * A figure that fits its place, redraws with size and theme, and can be saved.
   * `draw(surface, width, height, colors)`; `name` of the file; `label` for who cannot see it.
   */
  explorer.figure = ({ name, label, height, draw }) => {
    const canvas = explorer.el("canvas", { role: "img", "aria-label": label, tabindex: "0" });
    const place = explorer.el("div", { class: "figure" }, canvas);
    let size = [0, 0];
    const redraw = () => {
      const width = place.clientWidth,
        tall = typeof height === "function" ? height(width) : height;
      if (!width) return;
      const ratio = window.devicePixelRatio || 1;
      size = [width, tall];
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(tall * ratio);
      canvas.style.width = `${width}px`;
      canvas.style.height = `${tall}px`;
      const context = canvas.getContext("2d");
      context.scale(ratio, ratio);
      const colors = explorer.colors();
      context.fillStyle = colors.ground;
      context.fillRect(0, 0, width, tall);
      draw(new CanvasSurface(context), width, tall, colors);
    };
    const svg = () => {
      const [width, tall] = size;
      const surface = new SvgSurface(new CanvasSurface(canvas.getContext("2d")));
      draw(surface, width, tall, explorer.paper);
      return surface.whole(width, tall, explorer.paper.ground, label);
    };
    const observer = new ResizeObserver(() => {
      if (!place.isConnected) observer.disconnect();
      else if (place.clientWidth !== size[0]) redraw();
    });
    observer.observe(place);
    const themed = () => {
      if (place.isConnected) redraw();
      else document.removeEventListener("themed", themed);
    };
    document.addEventListener("themed", themed);
    const save = explorer.el(
      "button",
      { type: "button", class: "save", click: () => explorer.download(`${name}.svg`, "image/svg+xml", svg()) },
      "SVG",
    );
    return { place, canvas, redraw, save, svg, label: (text) => canvas.setAttribute("aria-label", text) };
  };
})();
