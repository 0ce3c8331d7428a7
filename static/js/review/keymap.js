// The person's own keys. [data-keyed="undo"] gets the keys of "undo" and shows the first one, [data-keys-of="undo"]
// shows them all. Without a map the keys of the page's own HTML hold.
const NAMES = { ArrowLeft: "←", ArrowRight: "→", Delete: "Del", Enter: "⏎" };

function readMap() {
  const script = document.getElementById("keymap");
  return script ? JSON.parse(script.textContent) : {};
}

export function kbd(key) {
  const drawn = document.createElement("kbd");
  drawn.className = "kbd";
  drawn.textContent = NAMES[key] ?? key;
  return drawn;
}

export function wearKeymap(root = document) {
  const map = readMap();
  for (const element of root.querySelectorAll("[data-keyed]")) {
    const keys = map[element.dataset.keyed] ?? element.dataset.key?.split(" ") ?? [];
    if (!keys.length) continue;
    element.dataset.key = keys.join(" ");
    element.setAttribute("aria-keyshortcuts", keys.join(" "));
    element.querySelector(".kbd")?.replaceWith(kbd(keys[0]));
  }
  for (const element of root.querySelectorAll("[data-keys-of]")) {
    const keys = map[element.dataset.keysOf];
    if (keys) element.replaceChildren(...keys.map(kbd));
  }
}
