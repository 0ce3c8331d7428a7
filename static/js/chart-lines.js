// Thin lines over rounds or steps, each named at its end.
import { axisOf, fit, rangeOf, toneOf, widthOf, wordValue } from "./chart-look.js";

const HEIGHT = 208;
const WHOLE_STEPS = [1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 2500, 5000, 10000, 20000, 50000, 100000];
const TIME_STEPS = [60, 300, 600, 1800, 3600, 10800, 21600, 43200, 86400, 172800, 604800, 1209600, 2592000, 7776000, 31536000];
const LABEL_GAP = 16;
const POINTS_UP_TO = 12;

function lastOf(values) {
  let index = values.length - 1;
  while (index >= 0 && values[index] === null) index -= 1;
  return index;
}

// The names' places: at the right edge, pushed apart where lines end close together; beside a line that ends early.
function placeLabels(plot, labels, ratio) {
  const { left, width, top, height } = plot.bbox;
  const gap = LABEL_GAP * ratio;
  const all = labels.map((label) => ({
    ...label,
    x: label.isEarly ? plot.valToPos(label.at, "x", true) : left + width,
    y: plot.valToPos(label.value, "y", true),
  }));
  for (const x of new Set(all.map((label) => label.x))) {
    pushApart(all.filter((label) => label.x === x), top + height, gap);
  }
  return all;
}

function pushApart(labels, lowest, gap) {
  const places = labels.sort((one, other) => one.y - other.y);
  places.forEach((place, index) => {
    if (index) place.y = Math.max(place.y, places[index - 1].y + gap);
  });
  for (let index = places.length - 1, below = Infinity; index >= 0; index -= 1) {
    places[index].y = below = Math.min(places[index].y, lowest, below - gap);
  }
}

function writeLabels(plot, labels, look) {
  const ratio = plot.pxRatio ?? devicePixelRatio;
  const { ctx } = plot;
  ctx.save();
  ctx.textBaseline = "middle";
  ctx.textAlign = "left";
  ctx.font = look.strong.replace("13px", `${13 * ratio}px`);
  ctx.strokeStyle = look.surface;
  ctx.lineWidth = 4 * ratio;
  ctx.lineJoin = "round";
  for (const place of placeLabels(plot, labels, ratio)) {
    ctx.strokeText(place.text, place.x + 10 * ratio, place.y);
    ctx.fillStyle = place.colour;
    ctx.fillText(place.text, place.x + 10 * ratio, place.y);
  }
  ctx.restore();
}

// Lines, then for those with an interval its two edges and the band between them.
function linesOf(data, look, hasPoints) {
  const series = [{}];
  const columns = [data.xs];
  const bands = [];
  data.series.forEach((one, index) => {
    const stroke = toneOf(one, index, look);
    const dash = one.tone === "quiet" ? [5, 4] : undefined;
    const points = { show: hasPoints, size: 6, width: 1.5, stroke, fill: look.surface };
    series.push({ stroke, width: 1.5, dash, points });
    columns.push(one.values);
  });
  data.series.forEach((one, index) => {
    if (!one.highs.some((value) => value !== null)) return;
    const edge = { width: 0, points: { show: false }, stroke: "transparent" };
    bands.push({ series: [series.length, series.length + 1], fill: `color-mix(in oklab, ${toneOf(one, index, look)} 14%, transparent)` });
    series.push(edge, edge);
    columns.push(one.highs, one.lows);
  });
  return { series, columns, bands };
}

export function drawLines(box, data, look, options) {
  const width = box.clientWidth;
  const most = Math.min(176, width * 0.32);
  const labels = data.series.flatMap((one, index) => {
    const last = lastOf(one.values);
    if (last < 0) return [];
    const text = fit(one.name, look.strong, most);
    const isEarly = data.xs.length === 1 || data.xs[last] < data.xs[0] + 0.8 * (data.xs.at(-1) - data.xs[0]);
    return [{ text, value: one.values[last], at: data.xs[last], isEarly, colour: toneOf(one, index, look) }];
  });
  const right = Math.max(16, ...labels.map((label) => (label.isEarly ? 0 : widthOf(label.text, look.strong) + 14)));
  const hasPoints = data.xs.length <= POINTS_UP_TO;
  const { series, columns, bands } = linesOf(data, look, hasPoints);
  const wordAll = (_plot, values, _axis, _space, step) => values.map((value) => wordValue(value, options.unit, step));
  const isShare = options.xUnit === "percent";
  const isTime = options.xUnit === "time";
  const whole = { incrs: WHOLE_STEPS, splits: hasPoints ? () => data.xs : undefined };
  const places = isShare ? {} : isTime ? { incrs: TIME_STEPS, space: 64 } : whole;
  const xAxis = { label: data.xName, labelFont: look.font, labelSize: 20, labelGap: 0, size: 26, grid: { show: false }, ...places };
  const alone = isTime ? 1800 : 0.5;
  return new uPlot(
    {
      width,
      height: HEIGHT,
      padding: [12, right, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
      scales: {
        x: { time: false, range: (_plot, low, high) => (low === high ? [low - alone, high + alone] : [low, high]) },
        y: { range: (_plot, low, high) => rangeOf(low, high, options.unit, options.isZeroBased) },
      },
      axes: [
        axisOf(look, { ...xAxis, values: (_plot, values, _axis, _space, step) => values.map((value) => wordValue(value, options.xUnit, isShare || isTime ? step : 1)) }),
        axisOf(look, { values: wordAll, size: options.unit === "money" ? 72 : 52, space: 36 }),
      ],
      series,
      bands,
      hooks: {
        draw: [(plot) => writeLabels(plot, labels, look)],
        setCursor: [(plot) => options.tell(plot.cursor.idx ?? null)],
      },
    },
    columns,
    box,
  );
}
