// Draws each figure's trend with Chart.js from the numbers that stand beside it. Without this file the table is there.
(() => {
  if (!window.Chart) return;
  const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  const charts = [];
  const colours = (box) => {
    const css = getComputedStyle(box);
    const value = (name) => css.getPropertyValue(name).trim();
    return { lines: [1, 2, 3, 4].map((n) => value(`--line-${n}`)), ink: value("--ink-2"), hair: value("--hair"), sans: value("--sans") };
  };
  const points = ["circle", "triangle", "rect", "rectRot"];
  const dashes = [[], [8, 3], [2, 3], [10, 3, 2, 3]];
  const datasets = (said, c) => said.lines.flatMap((line, place) => {
    const colour = c.lines[place % c.lines.length];
    const drawn = { label: line.label, data: line.values, borderColor: colour, backgroundColor: said.stacked ? colour : "transparent", borderWidth: said.stacked ? 0 : 2, pointStyle: points[place], pointRadius: 4, pointBackgroundColor: colour, spanGaps: true, clip: 8 };
    if (!said.stacked) drawn.borderDash = dashes[place];
    if (said.stacked || line.baseline === null) return [drawn];
    return [drawn, { label: line.baselineLabel, data: said.months.map(() => line.baseline), borderColor: colour, backgroundColor: "transparent", borderWidth: 1.5, borderDash: [3, 5], pointRadius: 0, pointStyle: "line" }];
  });
  // The sign of a line in the legend is dashed as the line is: colour alone says nothing to many.
  const labels = (chart) => window.Chart.defaults.plugins.legend.labels.generateLabels(chart).map((label) => {
    if (label.pointStyle === "line") Object.assign(label, { lineDash: chart.data.datasets[label.datasetIndex].borderDash, lineWidth: 2 });
    return label;
  });
  const options = (said, c) => ({
    responsive: true, maintainAspectRatio: false, animation: still ? false : { duration: 200 },
    interaction: { mode: "index", intersect: false },
    font: { family: c.sans },
    plugins: { legend: { position: "bottom", labels: { color: c.ink, usePointStyle: true, boxHeight: 9, generateLabels: labels, font: { family: c.sans, size: 13 } } } },
    scales: {
      x: { stacked: said.stacked, grid: { display: false }, ticks: { color: c.ink, font: { family: c.sans, size: 12 } } },
      y: { stacked: said.stacked, beginAtZero: true, max: said.unit === "%" ? 100 : undefined, grid: { color: c.hair }, border: { display: false }, ticks: { color: c.ink, font: { family: c.sans, size: 12 }, callback: (value) => (said.unit === "n" ? value.toLocaleString(document.documentElement.lang) : `${value.toLocaleString(document.documentElement.lang)} ${said.unit}`) } },
    },
  });
  const draw = () => {
    charts.splice(0).forEach((chart) => chart.destroy());
    document.querySelectorAll("[data-chart]").forEach((box) => {
      const said = JSON.parse(document.getElementById(box.dataset.chart).textContent);
      if (!said.lines.some((line) => line.values.some((value) => value !== null))) return;
      box.hidden = false;
      const c = colours(box);
      charts.push(new Chart(box.querySelector("canvas"), { type: said.stacked ? "bar" : "line", data: { labels: said.months, datasets: datasets(said, c) }, options: options(said, c) }));
    });
  };
  draw();
  document.querySelectorAll(".fgs-one").forEach((one) => { if (one.querySelector("[data-chart]")?.hidden === false) one.querySelector("details").open = false; });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
})();
