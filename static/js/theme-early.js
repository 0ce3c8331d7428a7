// Runs before the first paint, so that a chosen theme never flashes; the page's own scripts follow later.
(() => {
  const root = document.documentElement;
  root.dataset.js = "";
  try {
    const theme = localStorage.getItem("theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  } catch {
    // Storage can be forbidden; the system's theme is right then.
  }
})();
