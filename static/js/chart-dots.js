// Before and after side by side, one line a class: a hollow dot, a filled one, and what changed at the end.
import { axisOf, fit, rangeOf, widthOf, wordValue } from "./chart-look.js";

const ROW = 28;
const FEET = 30;
const RADIUS = 4.5;

function dot(ctx, x, y, radius, colour, fill) {
  ctx.beginPath();
  ctx.arc(x, y, radius, 0, 2 * Math.PI);
  ctx.fillStyle = fill;
  ctx.fill();
  ctx.strokeStyle = colour;
  ctx.stroke();
}

function drawRow(plot, row, look, ratio) {
  const { ctx, bbox } = plot;
  const y = plot.valToPos(row.place, "x", true);
  const [before, after] = row.values.map((value) => (value === null ? null : plot.valToPos(value, "y", true)));
  const colour = look[row.tone] ?? look.quiet;
  ctx.lineWidth = 1.5 * ratio;
  if (before !== null && after !== null) {
    ctx.beginPath();
    ctx.moveTo(before, y);
    ctx.lineTo(after, y);
    ctx.strokeStyle = colour;
    ctx.stroke();
  }
  if (before !== null) dot(ctx, before, y, RADIUS * ratio, look.quiet, look.surface);
  if (after !== null) dot(ctx, after, y, RADIUS * ratio, colour, colour);
  ctx.fillStyle = colour;
  ctx.fillText(row.note, bbox.left + bbox.width + 12 * ratio, y);
}

function drawRows(plot, rows, look) {
  const ratio = plot.pxRatio ?? devicePixelRatio;
  plot.ctx.save();
  plot.ctx.textBaseline = "middle";
  plot.ctx.textAlign = "left";
  plot.ctx.font = look.strong.replace("13px", `${13 * ratio}px`);
  for (const row of rows) drawRow(plot, row, look, ratio);
  plot.ctx.restore();
}

export function drawDots(box, data, look, options) {
  const width = box.clientWidth;
  const names = data.xTexts.map((name) => fit(name, look.font, width * 0.34));
  const rows = data.xTexts.map((_name, place) => ({
    place,
    values: data.series.slice(0, 2).map((one) => one.values[place]),
    note: data.notes[place]?.text ?? "",
    tone: data.notes[place]?.tone,
  }));
  const found = rows.flatMap((row) => row.values).filter((value) => value !== null);
  const range = rangeOf(Math.min(...found, 1), Math.max(...found, 0), options.unit, false);
  const left = Math.max(24, ...names.map((name) => widthOf(name, look.font))) + 20;
  const right = Math.max(16, ...rows.map((row) => widthOf(row.note, look.strong) + 16));
  const places = data.xTexts.map((_name, place) => place);
  return new uPlot(
    {
      width,
      height: ROW * rows.length + FEET,
      padding: [4, right, 0, 0],
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: { time: false, ori: 1, dir: -1, range: [-0.6, rows.length - 0.4] },
        y: { ori: 0, dir: 1, range },
      },
      axes: [
        axisOf(look, { scale: "x", side: 3, size: left, gap: 12, splits: () => places, values: () => names }),
        axisOf(look, {
          scale: "y",
          side: 2,
          size: 26,
          space: width < 600 ? 44 : 64,
          grid: { show: false },
          values: (_plot, values, _axis, _space, step) => values.map((value) => wordValue(value, options.unit, step)),
        }),
      ],
      series: [{}, ...data.series.slice(0, 2).map(() => ({ paths: () => null, points: { show: false } }))],
      hooks: { draw: [(plot) => drawRows(plot, rows, look)] },
    },
    [places, ...data.series.slice(0, 2).map((one) => one.values)],
    box,
  );
}
