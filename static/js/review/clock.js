// The time on a text, without the time in another tab.
let shownAt = performance.now();
let hiddenAt = document.hidden ? shownAt : null;

document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    hiddenAt = performance.now();
  } else if (hiddenAt !== null) {
    shownAt += performance.now() - hiddenAt;
    hiddenAt = null;
  }
});

export function restart() {
  shownAt = performance.now();
  hiddenAt = document.hidden ? shownAt : null;
}

export function elapsedMs() {
  return Math.round((hiddenAt ?? performance.now()) - shownAt);
}
