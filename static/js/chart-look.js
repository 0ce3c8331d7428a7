// What charts look like: colours and type from the page's own properties, numbers as people write them.
const COLOURS = {
  ink: "--ink",
  quiet: "--ink-2",
  line: "--line",
  surface: "--surface",
  good: "--good",
  bad: "--bad",
};
const LINES = 8;
const DAY_S = 86_400;
const ELLIPSIS = "…";

// Colours as the canvas takes them: light-dark() is settled by the browser in the figure's own theme.
export function lookOf(figure) {
  const probe = figure.appendChild(document.createElement("span"));
  const colour = (name) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const look = Object.fromEntries(Object.entries(COLOURS).map(([key, name]) => [key, colour(name)]));
  look.lines = Array.from({ length: LINES }, (_none, index) => colour(`--chart-${index}`));
  look.font = `13px ${getComputedStyle(figure).fontFamily}`;
  look.strong = `560 ${look.font}`;
  probe.remove();
  return look;
}

// A series' colour: its own tone, else its place among the lines.
export function toneOf(series, index, look) {
  return look[series.tone] ?? look.lines[index % LINES];
}

const measure = document.createElement("canvas").getContext("2d");

export function widthOf(text, font) {
  measure.font = font;
  return Math.ceil(measure.measureText(text).width);
}

// The text, cut where it is wider than `most` pixels.
export function fit(text, font, most) {
  if (widthOf(text, font) <= most) return text;
  let kept = text.length - 1;
  while (kept > 1 && widthOf(text.slice(0, kept) + ELLIPSIS, font) > most) kept -= 1;
  return text.slice(0, kept) + ELLIPSIS;
}

export function wordValue(value, unit, step = 1) {
  if (unit === "time") return wordTime(value, step);
  const scale = unit === "percent" ? 100 : 1;
  const most = unit === "money" ? 9 : 4;
  const digits = Math.max(0, Math.min(most, -Math.floor(Math.log10(step * scale) + 1e-9)));
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  const text = (value * scale).toLocaleString(document.documentElement.lang, options);
  if (unit === "money") return `$${text}`;
  return unit === "percent" ? `${text}%` : text;
}

// Seconds of the clock on the server's wall: a day, or a time of day where the steps are shorter.
function wordTime(value, step) {
  const isDay = step >= DAY_S || value % DAY_S === 0;
  const options = isDay ? { day: "numeric", month: "short" } : { hour: "2-digit", minute: "2-digit" };
  return new Date(value * 1000).toLocaleString(document.documentElement.lang, { ...options, hour12: false, timeZone: "UTC" });
}

// The range of the value axis: air around the values, never so close that noise looks like a cliff.
export function rangeOf(low, high, unit, isZeroBased) {
  if (low === null || high === null) return [0, 1];
  const least = unit === "percent" ? 0.1 : Math.abs(high) / 10 || (unit === "money" ? 0.01 : 1);
  const missing = Math.max(0, least - (high - low)) / 2;
  const air = Math.max(least, high - low) * 0.12;
  const bottom = isZeroBased ? Math.min(0, low) : low - missing - air;
  const top = high + missing + air;
  return unit === "percent" ? [Math.max(0, bottom), Math.min(1, Math.max(top, bottom + least))] : [bottom, top];
}

export function axisOf(look, more) {
  return {
    stroke: look.quiet,
    font: look.font,
    ticks: { show: false },
    grid: { stroke: look.line, width: 1 },
    border: { show: false },
    gap: 6,
    ...more,
  };
}
