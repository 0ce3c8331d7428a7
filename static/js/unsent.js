// What this person decided and this browser has not sent yet, told on every other page, and before signing out: only the
// review screen of its project sends it.
import { boxes } from "./review/outbox.js";
import { boxName } from "./review/page.js";

const place = document.getElementById("unsent");

async function ownBoxes() {
  const name = boxName(place.dataset.user, "");
  return (await boxes()).filter(({ box, page }) => page && box.startsWith(name));
}

function lineOf({ page, project, count }) {
  const line = document.getElementById("unsent-line").content.firstElementChild.cloneNode(true);
  const words = count === 1 ? place.dataset.one : place.dataset.many;
  line.querySelector("[data-what]").textContent = words.replace("%n", () => count).replace("%project", () => project);
  line.querySelector("a").href = page;
  return line;
}

async function tell() {
  const own = await ownBoxes();
  const elsewhere = own.filter(({ page }) => page !== location.pathname);
  place.replaceChildren(...elsewhere.map(lineOf));
  place.hidden = !elsewhere.length;
  const signOut = document.querySelector("[data-sign-out]");
  if (own.length) signOut.dataset.confirm = place.dataset.signOut;
  else delete signOut.dataset.confirm;
}

if (place) {
  tell();
  document.addEventListener("toggle", (event) => event.target.matches?.("[data-menu]") && tell(), true);
}
