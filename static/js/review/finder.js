// More classes than keys: a part of the name and Enter, or the arrows. The buttons of the page's section are asked for
// each time: at the desk they come anew with every text.
const dialog = document.getElementById("finder");
const field = document.getElementById("finder-text");
const list = document.getElementById("finder-list");
const none = document.getElementById("finder-none");
let at = 0;

function buttonsThere() {
  return [...(document.querySelector("[data-keys]")?.querySelectorAll(".class-button") ?? [])];
}

function nameOf(button) {
  return button.querySelector(".class-button-name").textContent;
}

// Names that begin so come first.
function found() {
  const part = field.value.trim().toLowerCase();
  const fits = buttonsThere().filter((button) => nameOf(button).toLowerCase().includes(part));
  const isFirst = (button) => nameOf(button).toLowerCase().startsWith(part);
  return [...fits.filter(isFirst), ...fits.filter((button) => !isFirst(button))];
}

function rowOf(button, index) {
  const row = document.createElement("li");
  row.id = `finder-${index}`;
  row.role = "option";
  row.className = `finder-row ${[...button.classList].find((name) => name.startsWith("class-slot-")) ?? ""}`;
  row.dataset.value = button.value;
  const mark = document.createElement("span");
  mark.className = "tag-mark";
  const name = document.createElement("span");
  name.className = "finder-name";
  name.dir = "auto";
  name.textContent = nameOf(button);
  row.append(mark, name);
  const key = button.querySelector(".kbd");
  if (key) row.append(key.cloneNode(true));
  return row;
}

function mark() {
  for (const [index, row] of [...list.children].entries()) row.setAttribute("aria-selected", String(index === at));
  list.children[at]?.scrollIntoView({ block: "nearest" });
  field.setAttribute("aria-activedescendant", list.children[at]?.id ?? "");
}

function draw() {
  at = 0;
  list.replaceChildren(...found().map(rowOf));
  none.hidden = list.children.length > 0;
  mark();
}

function take(row) {
  const button = row && buttonsThere().find((one) => one.value === row.dataset.value);
  if (!button) return;
  dialog.close();
  button.click();
}

function onKey(event) {
  if (event.isComposing || event.keyCode === 229) return;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    event.preventDefault();
    at = Math.max(0, Math.min(list.children.length - 1, at + step));
    mark();
  } else if (event.key === "Enter") {
    event.preventDefault();
    take(list.children[at]);
  }
}

export function startFinder() {
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-dialog-open=finder]")) return;
    field.value = "";
    draw();
  });
  field.addEventListener("input", draw);
  field.addEventListener("keydown", onKey);
  list.addEventListener("click", (event) => take(event.target.closest(".finder-row")));
}
