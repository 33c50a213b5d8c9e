"use strict";
// Colours that readers with any kind of colour vision tell apart: blue against orange, purple against green.
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const names = ["system", "light", "dark"];
  let chosen = "system";
  try {
    chosen = localStorage.getItem("twotower-theme") || "system";
  } catch {
    /* from a disk there may be none */
  }

  const button = document.getElementById("theme");
  const apply = () => {
    const now = chosen === "system" ? (dark.matches ? "dark" : "light") : chosen;
    document.documentElement.dataset.theme = now;
    button.textContent = `theme: ${chosen}`;
    document.dispatchEvent(new Event("themed"));
  };
  button.addEventListener("click", () => {
    chosen = names[(names.indexOf(chosen) + 1) % names.length];
    try {
      localStorage.setItem("twotower-theme", chosen);
    } catch {
      /* see above */
    }
    apply();
  });
  dark.addEventListener("change", apply);
  explorer.applyTheme = apply;

  const LIGHT = {
    ground: "#ffffff",
    ink: "#1d2125",
    soft: "#5c646b",
    grid: "#dfe3e6",
    blue: "#2f6db3",
    orange: "#b4500f",
    violet: "#7b3fa0",
    green: "#23774c",
    grey: "#666c72",
    strength: 0.6,
    lines: ["#2f6db3", "#b4500f", "#23774c", "#7b3fa0", "#8a6d00", "#b3245a", "#0b7285", "#5c5f66"],
  };
  const DARK = {
    ground: "#16191c",
    ink: "#e6e9ec",
    soft: "#a3abb2",
    grid: "#343a40",
    blue: "#6aa5e8",
    orange: "#f0954e",
    violet: "#c28fe3",
    green: "#5fc08d",
    grey: "#9aa1a8",
    strength: 0.55,
    lines: ["#6aa5e8", "#f0954e", "#5fc08d", "#c28fe3", "#d9b93b", "#f07aa5", "#4fc4d9", "#b4b8be"],
  };
  explorer.paper = LIGHT;
  explorer.colors = () => (document.documentElement.dataset.theme === "dark" ? DARK : LIGHT);

  const alpha = (hex, strength) => {
    const [red, green, blue] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
    return `rgba(${red},${green},${blue},${strength.toFixed(3)})`;
  };

  explorer.LIMIT = 2;
  explorer.SURPRISE = 12;
  /** The background of a token: blue above 0 and orange below for preferences, violet by surprise otherwise. */
  explorer.shade = (measure, value, colors = explorer.colors()) => {
    if (value === null || value === undefined) return "transparent";
    if (explorer.isPreference(measure)) {
      return alpha(
        value > 0 ? colors.blue : colors.orange,
        Math.min(1, Math.abs(value) / explorer.LIMIT) * colors.strength,
      );
    }
    return alpha(colors.violet, Math.min(1, -value / explorer.SURPRISE) * colors.strength);
  };

  /** What the colours mean, with their unit. */
  explorer.legend = (run, measure, turned = false) => {
    const ramp = explorer.el("span", { class: "ramp", "aria-hidden": "true" });
    const preference = explorer.isPreference(measure);
    const [low, high] = preference ? [-explorer.LIMIT, explorer.LIMIT] : [-explorer.SURPRISE, 0];
    for (let step = 0; step <= 16; step++) {
      const box = explorer.el("span");
      box.style.background = explorer.shade(measure, low + ((high - low) * step) / 16);
      ramp.append(box);
    }
    let [left, right] = ["−12 nats: surprised", "0 nats: certain"];
    if (preference) {
      const contrast =
        run.contrasts.find(({ suffix }) => measure.endsWith(suffix) && (suffix || run.contrasts.length === 1)) ||
        run.contrasts[0];
      const other = run.towers === 2 ? `${run.sides[1]} predicts it better` : "worse than the mean of all";
      const ends = [other, `${run.sides[contrast.tower - 1]} predicts it better`];
      if (turned) ends.reverse();
      [left, right] = [`−2 nats: ${ends[0]}`, `+2 nats: ${ends[1]}`];
    }
    return explorer.el("p", { class: "legend" }, explorer.el("span", {}, left), ramp, explorer.el("span", {}, right));
  };

  const CLASSES = { function: "violet", content: "green", other: "grey" };
  explorer.classColor = (name, colors) => colors[CLASSES[name] || "grey"];
})();
