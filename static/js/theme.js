// The theme switch: [data-theme-set="system|light|dark"]. The choice is kept in this browser.
const root = document.documentElement;

function chosen() {
  return root.dataset.theme ?? "system";
}

function show() {
  for (const button of document.querySelectorAll("[data-theme-set]")) {
    button.setAttribute("aria-pressed", String(button.dataset.themeSet === chosen()));
  }
}

function choose(theme) {
  if (theme === "system") delete root.dataset.theme;
  else root.dataset.theme = theme;
  try {
    if (theme === "system") localStorage.removeItem("theme");
    else localStorage.setItem("theme", theme);
  } catch {
    // Storage can be forbidden; the choice then lasts for this page.
  }
  show();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-theme-set]");
  if (button) choose(button.dataset.themeSet);
});
show();
