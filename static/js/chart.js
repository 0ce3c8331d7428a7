// Plots of tables. A figure [data-chart] holds a table whose cells carry their value in data-value; the plot stands above
// it and the table behind a button. Where drawing fails the table is shown.
import { drawDots } from "./chart-dots.js";
import { drawLines } from "./chart-lines.js";
import { lookOf } from "./chart-look.js";

const KINDS = { line: drawLines, dots: drawDots };
const plots = new Map();
const opened = new Set();

function numberOf(cell, name) {
  const text = cell?.dataset[name] ?? "";
  return text === "" ? null : Number(text);
}

// Columns after the first are series, but for th[data-note], whose cells are said beside their row.
export function readTable(table) {
  const heads = [...table.tHead.rows[0].cells];
  const rows = [...table.tBodies[0].rows].map((row) => [...row.cells]);
  const series = heads.flatMap((head, column) => {
    if (!column || "note" in head.dataset || "aside" in head.dataset) return [];
    const cells = rows.map((row) => row[column]);
    const [values, lows, highs] = ["value", "low", "high"].map((name) => cells.map((cell) => numberOf(cell, name)));
    const texts = cells.map((cell) => cell.textContent.trim());
    return [{ name: head.textContent.trim(), tone: head.dataset.tone, values, lows, highs, texts }];
  });
  const note = heads.findIndex((head) => "note" in head.dataset);
  return {
    xName: heads[0].textContent.trim(),
    xs: rows.map((row, index) => numberOf(row[0], "value") ?? index),
    xTexts: rows.map((row) => row[0].textContent.trim()),
    series,
    notes: note < 0 ? [] : rows.map((row) => ({ text: row[note].textContent.trim(), tone: row[note].dataset.tone })),
  };
}

// What the pointer is at, in the words of the table.
function teller(figure, data) {
  const readout = figure.querySelector(".chart-readout");
  return (index) => {
    const parts = data.series.map((one) => (one.values[index] == null ? "" : `${one.name} ${one.texts[index]}`));
    const isOn = index !== null && parts.some(Boolean);
    readout.textContent = isOn ? [`${data.xName} ${data.xTexts[index]}`, ...parts.filter(Boolean)].join(" · ") : "";
  };
}

function draw(figure) {
  const box = figure.querySelector(".chart-plot");
  plots.get(figure)?.plot.destroy();
  plots.delete(figure);
  sizes.observe(box);
  if (!box.clientWidth) return;
  const data = readTable(figure.querySelector("table"));
  const { unit, xUnit = "number" } = figure.dataset;
  const options = { unit, xUnit, isZeroBased: "zero" in figure.dataset, tell: teller(figure, data) };
  const plot = KINDS[figure.dataset.chart](box, data, lookOf(figure), options);
  plots.set(figure, { plot, width: box.clientWidth });
}

function show(figure, isOpen) {
  const button = figure.querySelector("[data-chart-table]");
  figure.classList.toggle("is-table", isOpen);
  button.setAttribute("aria-expanded", String(isOpen));
  button.textContent = isOpen ? button.dataset.textHide : button.dataset.textShow;
}

function start(figure) {
  show(figure, opened.has(figure.id));
  try {
    draw(figure);
  } catch (error) {
    show(figure, true);
    throw error;
  }
}

// New figures are drawn before they are painted; what is gone from the page is let go.
function startNew() {
  for (const [figure, { plot }] of plots) {
    if (figure.isConnected) continue;
    plot.destroy();
    sizes.unobserve(figure.querySelector(".chart-plot"));
    plots.delete(figure);
  }
  for (const figure of document.querySelectorAll("figure[data-chart]")) if (!plots.has(figure)) start(figure);
}

function drawAgain() {
  for (const figure of [...plots.keys()]) draw(figure);
}

const sizes = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const figure = target.closest("figure[data-chart]");
    if (figure && plots.get(figure)?.width !== target.clientWidth) draw(figure);
  }
});

document.addEventListener("click", (event) => {
  const figure = event.target.closest?.("[data-chart-table]")?.closest("figure[data-chart]");
  if (!figure) return;
  const isOpen = !figure.classList.contains("is-table");
  if (isOpen) opened.add(figure.id);
  else opened.delete(figure.id);
  show(figure, isOpen);
});
document.addEventListener("htmx:afterSwap", startNew);
// htmx gives elements with an id the attributes of the answer again when it settles.
document.addEventListener("htmx:afterSettle", () => {
  for (const figure of plots.keys()) show(figure, opened.has(figure.id));
});
new MutationObserver(drawAgain).observe(document.documentElement, { attributeFilter: ["data-theme"] });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAgain);
startNew();
