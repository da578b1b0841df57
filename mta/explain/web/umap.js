"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (name) => document.getElementById(name);
  const SIZE = 1000, RADIUS = 9, NEAR = 45, SHOWN = 192;
  const PALETTE = ["#3b82d6", "#e0533f", "#3fa66b", "#e39a2d", "#9a74cc", "#8a949f", "#2bb0c0", "#d1629a"];
  const RAMP = [[86, 58, 145], [59, 90, 155], [33, 145, 140], [94, 201, 98], [253, 231, 37]];
  const count = data.patches.row.length;
  const panels = [];
  let chosen = -1;

  const node = (tag, text) => {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const drawn = (tag, values) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(values)) made.setAttribute(name, value);
    return made;
  };
  const ramp = (share) => {
    const place = Math.min(Math.max(share, 0), 1) * (RAMP.length - 1), low = Math.min(Math.floor(place), RAMP.length - 2);
    const mixed = RAMP[low].map((value, part) => Math.round(value + (place - low) * (RAMP[low + 1][part] - value)));
    return "rgb(" + mixed.join(",") + ")";
  };
  const said = (value) => (typeof value === "number" ? Number(value.toPrecision(4)).toString() : value);

  // A coloring gives each patch a color, and the legend.
  const ofNames = (values) => {
    const names = [...new Set(values)].filter((name) => name !== "").sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
    const color = (name) => (name === "" ? "var(--missing)" : PALETTE[names.indexOf(name) % PALETTE.length]);
    const keys = [...names, ...(values.includes("") ? [""] : [])];
    const legend = keys.map((name) => [color(name), (name || "unknown") + " (" + values.filter((one) => one === name).length + ")"]);
    return { colors: values.map(color), legend };
  };
  const ofNumbers = (values) => {
    const known = values.filter((value) => value !== null).sort((a, b) => a - b);
    if (!known.length) return { colors: values.map(() => "var(--missing)"), legend: [["var(--missing)", "unknown"]] };
    const low = known[Math.floor(0.02 * (known.length - 1))], high = known[Math.ceil(0.98 * (known.length - 1))];
    const color = (value) => (value === null ? "var(--missing)" : ramp(high > low ? (value - low) / (high - low) : 0.5));
    return { colors: values.map(color), range: [low, high], missing: known.length < values.length };
  };
  const coloring = (name) => (name in data.concepts ? ofNumbers(data.concepts[name].values) : ofNames(data.patches[name]));

  // Runs may lie far apart in the one fit: by default each fills its panel, in its own proportions.
  const filling = (points) => {
    const ends = [0, 1].map((axis) => points.reduce(
      ([low, high], point) => [Math.min(low, point[axis]), Math.max(high, point[axis])], [Infinity, -Infinity]));
    const scale = SIZE / Math.max(1, ...ends.map(([low, high]) => high - low));
    const middle = ends.map(([low, high]) => (low + high) / 2);
    return points.map((point) => point.map((value, axis) => Math.round((value - middle[axis]) * scale + SIZE / 2)));
  };
  const asLaidOut = (points) => points.map((point) => point.map((value) => Math.round((value / data.grid) * SIZE)));

  const place = () => {
    const layer = data.layers[Number(byId("layer").value)];
    panels.forEach((panel, run) => {
      panel.points = (byId("same").checked ? asLaidOut : filling)(layer.points[run]);
      panel.circles.forEach((circle, patch) => {
        circle.setAttribute("cx", panel.points[patch][0]);
        circle.setAttribute("cy", panel.points[patch][1]);
      });
    });
    show(chosen);
  };

  const paint = () => {
    const name = byId("coloring").value, { colors, legend, range, missing } = coloring(name);
    for (const panel of panels) panel.circles.forEach((circle, patch) => circle.setAttribute("fill", colors[patch]));
    const parts = [];
    const key = (color, text) => {
      const part = node("span"), dot = node("i");
      part.className = "key";
      dot.style.background = color;
      part.append(dot, text);
      return part;
    };
    if (range) {
      const part = key("linear-gradient(to right," + RAMP.map((color) => "rgb(" + color.join(",") + ")").join(",") + ")", "");
      part.firstChild.className = "ramp";
      const unit = data.concepts[name].unit;
      part.prepend(said(range[0]));
      part.append(said(range[1]) + (unit ? " " + unit : ""));
      parts.push(part);
      if (missing) parts.push(key("var(--missing)", "unknown"));
    } else {
      for (const [color, text] of legend) parts.push(key(color, text));
    }
    byId("legend").replaceChildren(...parts);
  };

  const show = (patch) => {
    chosen = patch;
    for (const panel of panels) {
      panel.ring.setAttribute("visibility", patch < 0 ? "hidden" : "visible");
      if (patch < 0) continue;
      panel.ring.setAttribute("cx", panel.points[patch][0]);
      panel.ring.setAttribute("cy", panel.points[patch][1]);
    }
    if (patch < 0) return;
    const lines = Object.entries(data.patches).map(([name, values]) => [name, values[patch] === "" ? "–" : values[patch]]);
    for (const [name, { values, unit }] of Object.entries(data.concepts)) {
      lines.push([name, values[patch] === null ? "–" : said(values[patch]) + (unit ? " " + unit : "")]);
    }
    byId("detail").replaceChildren(...lines.flatMap(([name, value]) => [node("dt", name), node("dd", String(value))]));
    const thumb = byId("thumb");
    thumb.hidden = !data.sheet;
    if (!data.sheet) return;
    const column = patch % data.columns, row = Math.floor(patch / data.columns);
    thumb.style.backgroundPosition = -column * SHOWN + "px " + -row * SHOWN + "px";
  };

  const nearest = (panel, event) => {
    const box = panel.svg.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * SIZE, y = ((event.clientY - box.top) / box.height) * SIZE;
    let best = -1, least = NEAR * NEAR;
    panel.points.forEach(([px, py], patch) => {
      const apart = (px - x) ** 2 + (py - y) ** 2;
      if (apart < least) [best, least] = [patch, apart];
    });
    return best;
  };

  const addPanel = (run) => {
    const section = node("section"), svg = drawn("svg", { viewBox: `-15 -15 ${SIZE + 30} ${SIZE + 30}`, role: "img" });
    svg.setAttribute("aria-label", "patches as " + run + " places them");
    const circles = Array.from({ length: count }, () => drawn("circle", { r: RADIUS }));
    const ring = drawn("circle", { r: 2 * RADIUS, class: "ring", visibility: "hidden" });
    svg.append(...circles, ring);
    section.append(node("h2", run), svg);
    byId("plots").append(section);
    const panel = { svg, circles, ring, points: [] };
    panels.push(panel);
    const look = (event) => {
      const patch = nearest(panel, event);
      if (patch >= 0 && patch !== chosen) show(patch);
    };
    svg.addEventListener("pointermove", look);
    svg.addEventListener("pointerdown", look);
  };

  const options = (list, names) => list.replaceChildren(...names.map(([value, text]) => {
    const option = node("option", text);
    option.value = value;
    return option;
  }));

  byId("about").textContent = data.about;
  options(byId("coloring"), [...data.colorings, ...Object.keys(data.concepts)].map((name) => [name, name]));
  options(byId("layer"), data.layers.map((layer, number) => [number, layer.name]));
  data.runs.forEach(addPanel);
  if (data.sheet) {
    byId("thumb").style.backgroundImage = "url(" + data.sheet + ")";
    byId("thumb").style.backgroundSize = data.columns * SHOWN + "px auto";
  }
  byId("layer").addEventListener("change", place);
  byId("same").addEventListener("change", place);
  byId("same").parentElement.hidden = data.runs.length < 2;
  byId("coloring").addEventListener("change", paint);
  byId("choices").addEventListener("submit", (event) => event.preventDefault());
  byId("plots").addEventListener("keydown", (event) => {
    const steps = { ArrowRight: chosen + 1, ArrowDown: chosen + 1, ArrowLeft: chosen - 1, ArrowUp: chosen - 1, Home: 0, End: count - 1 };
    if (!(event.key in steps)) return;
    event.preventDefault();
    show((steps[event.key] + count) % count);
  });
  place();
  paint();
})();
