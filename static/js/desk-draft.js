// What a reviewer has begun to say about a text is kept in this tab until it was stored: the session may end before that.
// [data-desk-draft] on the form names the reviewer, the project and the text; where a decision is corrected that one, too,
// so that what was said of it is not said again of the next.
const formThere = () => document.querySelector("[data-desk-draft]");
let shown = formThere()?.dataset.deskDraft;

function putBack() {
  const form = formThere();
  const draft = form && JSON.parse(sessionStorage.getItem(form.dataset.deskDraft));
  if (!draft) return;
  form.elements.note.value = draft.note;
  form.elements.finding.value = draft.finding;
}

document.addEventListener("input", (event) => {
  const form = event.target.closest("[data-desk-draft]");
  if (!form) return;
  const { note, finding } = form.elements;
  sessionStorage.setItem(form.dataset.deskDraft, JSON.stringify({ note: note.value, finding: finding.value }));
});

// A text that was sent and is gone was settled or sent back; one that a refusal leaves here keeps its draft.
document.addEventListener("htmx:afterSwap", (event) => {
  const now = formThere()?.dataset.deskDraft;
  const isSent = event.detail.requestConfig?.formData.has("item");
  if (isSent && shown && shown !== now) sessionStorage.removeItem(shown);
  shown = now;
  putBack();
});
putBack();
