// A form that is on its way is not sent again: a double click is one order. What was sent stays sent until the page goes
// or the answer has come without leading elsewhere.
function isOnItsWay(form) {
  return form.dataset.sent !== undefined || form.matches(".htmx-request");
}

document.addEventListener(
  "submit",
  (event) => {
    const form = event.target;
    if (form.method !== "post" && !form.hasAttribute("hx-post")) return;
    if (isOnItsWay(form)) {
      event.preventDefault();
      event.stopImmediatePropagation();
    } else if (!form.hasAttribute("hx-post")) {
      // After the other listeners: one of them may still stop it.
      setTimeout(() => {
        if (!event.defaultPrevented) form.dataset.sent = "";
      });
    }
  },
  true,
);

document.addEventListener("htmx:beforeOnLoad", (event) => {
  const form = event.target.closest?.("form");
  if (form && event.detail.xhr.getResponseHeader("HX-Redirect")) form.dataset.sent = "";
});

window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});
