// Toasts: those in the page, those that an htmx answer brings (event "toasts"), and what went wrong with a request.
// Good news leaves after a while unless it is read (hovered or focused); warnings and errors stay until closed.
const LEAVES_AFTER_MS = 6000;
const LONGEST_TEXT = 300;
const MOST = 4;
const ICONS = { success: "check", warning: "alert", error: "alert" };

function box() {
  return document.getElementById("toasts");
}

function leaveLater(toast) {
  if (["warning", "error"].includes(toast.dataset.toast)) return;
  const leave = () => {
    if (toast.matches(":hover, :focus-within")) setTimeout(leave, LEAVES_AFTER_MS);
    else toast.remove();
  };
  setTimeout(leave, LEAVES_AFTER_MS);
}

function show(level, text) {
  const same = [...box().querySelectorAll("[data-toast]")].find(
    (toast) => toast.querySelector(".toast-text").textContent === text,
  );
  same?.remove();
  const toast = document.getElementById("toast-template").content.firstElementChild.cloneNode(true);
  toast.classList.replace("toast-info", `toast-${level}`);
  toast.dataset.toast = level;
  const drawing = toast.querySelector("use");
  drawing.setAttribute("href", drawing.getAttribute("href").replace(/#.*/, `#${ICONS[level] ?? "info"}`));
  toast.querySelector(".toast-text").textContent = text;
  box().append(toast);
  while (box().children.length > MOST) box().firstElementChild.remove();
  leaveLater(toast);
}

document.addEventListener("toasts", (event) => {
  for (const { level, text } of event.detail.toasts ?? []) show(level || "info", text);
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-toast-close]")) event.target.closest("[data-toast]").remove();
});

document.addEventListener("htmx:responseError", (event) => {
  const { xhr } = event.detail;
  const isPlain = (xhr.getResponseHeader("Content-Type") ?? "").startsWith("text/plain");
  const text = isPlain && xhr.responseText.length <= LONGEST_TEXT ? xhr.responseText : "";
  show(xhr.status === 409 ? "warning" : "error", text || box().dataset.textFailed);
});

document.addEventListener("htmx:sendError", (event) => {
  // A poll that fails says nothing: the next one will tell.
  if (!event.target.matches?.("[data-live-topic], [hx-trigger*=every]")) show("error", box().dataset.textOffline);
});

for (const toast of box()?.querySelectorAll("[data-toast]") ?? []) leaveLater(toast);
