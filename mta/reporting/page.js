// Charts whose points can be walked: by pointer, or by the arrow keys once the chart has the focus.
for (const walk of document.querySelectorAll(".walk")) {
  const chart = walk.querySelector("svg");
  const said = walk.querySelector("output");
  const shown = walk.querySelector(".shown");
  const sheet = document.getElementById(walk.dataset.sheet);
  const points = [...chart.querySelectorAll("circle.dot")];
  let place = -1;

  const show = (number) => {
    points[place]?.classList.remove("here");
    place = (number + points.length) % points.length;
    const point = points[place];
    point.classList.add("here");
    said.textContent = point.dataset.say;
    if (sheet && point.dataset.tile) {
      const tile = Number(point.dataset.tile), side = 128, columns = Number(sheet.dataset.columns);
      shown.style.backgroundImage = `url("${sheet.src}")`;
      shown.style.backgroundSize = `${columns * side}px auto`;
      shown.style.backgroundPosition = `-${(tile % columns) * side}px -${Math.floor(tile / columns) * side}px`;
    }
  };

  chart.addEventListener("pointerover", (event) => {
    const number = points.indexOf(event.target);
    if (number >= 0) show(number);
  });
  chart.addEventListener("focus", () => { if (place < 0 && points.length) show(0); });
  chart.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const jump = { Home: 0, End: points.length - 1 }[event.key];
    if (step === undefined && jump === undefined) return;
    event.preventDefault();
    show(jump ?? place + step);
  });

  walk.querySelector("select")?.addEventListener("change", (event) => {
    const number = event.target.selectedIndex;
    for (const point of points) {
      const look = point.dataset.looks.split(" ")[number];
      point.setAttribute("class", `dot faint ${look}${point === points[place] ? " here" : ""}`);
    }
    walk.querySelectorAll("ul.legend").forEach((list, index) => { list.hidden = index !== number; });
  });
}
