// [data-copy="text"] copies the text and says so for a moment.
const SAID_FOR_MS = 1500;

async function copyText(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // On plain http in a local network there is no clipboard: a hidden field and the old command do.
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "visually-hidden";
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}

function say(button) {
  const use = button.querySelector("use");
  const [file, before] = use.getAttribute("href").split("#");
  const label = button.getAttribute("aria-label");
  use.setAttribute("href", `${file}#check`);
  button.setAttribute("aria-label", button.dataset.copied);
  setTimeout(() => {
    use.setAttribute("href", `${file}#${before}`);
    if (label) button.setAttribute("aria-label", label);
    else button.removeAttribute("aria-label");
    delete button.dataset.isSaying;
  }, SAID_FOR_MS);
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await copyText(button.dataset.copy);
  if (button.dataset.isSaying) return;
  button.dataset.isSaying = "yes";
  say(button);
});
