// [data-confirm="Delete it?"] on a button or link asks before the click counts, for plain forms, links and htmx alike.
const dialog = document.getElementById("confirm");
let asked = null;
let isConfirmed = false;

function ask(element) {
  asked = element;
  const yes = dialog.querySelector("[data-confirm-yes]");
  yes.dataset.confirmWord ??= yes.textContent;
  yes.textContent = element.dataset.confirmVerb ?? yes.dataset.confirmWord;
  document.getElementById("confirm-text").textContent = element.dataset.confirm;
  dialog.returnValue = "no";
  dialog.showModal();
}

document.addEventListener(
  "click",
  (event) => {
    const element = event.target.closest?.("[data-confirm]");
    if (!element || isConfirmed) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    ask(element);
  },
  true,
);

dialog?.addEventListener("close", () => {
  const element = asked;
  asked = null;
  if (dialog.returnValue !== "yes" || !element?.isConnected) return;
  isConfirmed = true;
  element.click();
  isConfirmed = false;
});
