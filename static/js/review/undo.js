// The way back: what this page did last, with its cards, so that undo paints at once. Older things (from before a
// reload) are the server's to find.
const DEPTH = 20;
const done = [];

export function remember(entry) {
  done.push(entry);
  if (done.length > DEPTH) done.shift();
}

export function last() {
  return done.pop() ?? null;
}

// What the server did not take cannot be undone.
export function forget(id) {
  const at = done.findIndex((entry) => entry.id === id);
  if (at >= 0) done.splice(at, 1);
}
