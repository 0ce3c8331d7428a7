// The page "Review keys": a key that is pressed in a field of [data-own-keys] becomes its value; Backspace empties it.
// Tab, Enter and Escape stay the browser's, and so does every key together with Ctrl, Alt or Meta.
const LEFT_ALONE = new Set(["Tab", "Enter", "Escape", "Shift", "Home", "End", "ArrowUp", "ArrowDown"]);

document.addEventListener("keydown", (event) => {
  const field = event.target.closest?.("[data-own-keys] [data-own-key]");
  if (!field || event.isComposing || event.ctrlKey || event.altKey || event.metaKey || LEFT_ALONE.has(event.key)) return;
  event.preventDefault();
  const key = event.key.length === 1 ? event.key.toLowerCase().trim() : event.key;
  field.value = key === "Backspace" ? "" : key.slice(0, field.maxLength);
  field.select();
});

document.addEventListener("focusin", (event) => {
  if (event.target.matches?.("[data-own-keys] [data-own-key]")) event.target.select();
});
