// [data-select] is a form with rows to choose: [data-select-all] chooses all of them, [data-select-count] says how many.
const BOXES = 'input[type="checkbox"][name="sample"]';

function show(form) {
  const boxes = [...form.querySelectorAll(BOXES)];
  const chosen = boxes.filter((box) => box.checked).length;
  const all = form.querySelector("[data-select-all]");
  all.hidden = false;
  all.checked = chosen > 0 && chosen === boxes.length;
  all.indeterminate = chosen > 0 && chosen < boxes.length;
  const count = form.querySelector("[data-select-count]");
  count.textContent = chosen ? count.dataset.text.replace("%s", chosen) : "";
}

function showAll() {
  for (const form of document.querySelectorAll("form[data-select]")) show(form);
}

document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-select]");
  if (!form) return;
  if (event.target.matches("[data-select-all]")) {
    for (const box of form.querySelectorAll(BOXES)) box.checked = event.target.checked;
  }
  show(form);
});

document.addEventListener("htmx:afterSwap", showAll);
window.addEventListener("pageshow", showAll);
showAll();
