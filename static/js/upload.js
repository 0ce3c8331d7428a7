// [data-drop]: drop a file, see its name, hear at once that it is too large, watch it go. htmx sends the form; without
// JavaScript it is a plain form.
function partsOf(drop) {
  const error = drop.closest(".field").querySelector("[data-drop-error]");
  return { input: drop.querySelector("[type=file]"), error, errorText: error.querySelector("[data-drop-error-text]") };
}

function sizeText(bytes) {
  const unit = bytes >= 1e9 ? "gigabyte" : bytes >= 1e6 ? "megabyte" : "kilobyte";
  const value = bytes / { gigabyte: 1e9, megabyte: 1e6, kilobyte: 1e3 }[unit];
  const options = { style: "unit", unit, maximumFractionDigits: value < 10 ? 1 : 0 };
  return new Intl.NumberFormat(document.documentElement.lang, options).format(value);
}

function showFile(drop) {
  const { input, error, errorText } = partsOf(drop);
  const file = input.files[0];
  const isTooBig = Boolean(file) && file.size > Number(drop.dataset.maxBytes);
  const name = drop.querySelector("[data-drop-name]");
  name.hidden = !file;
  name.textContent = file ? `${file.name} (${sizeText(file.size)})` : "";
  error.hidden = !isTooBig;
  errorText.textContent = isTooBig ? drop.dataset.tooBig : "";
  input.setCustomValidity(isTooBig ? drop.dataset.tooBig : "");
}

function showProgress(form, loaded, total) {
  const meter = form.querySelector("[data-drop-progress]");
  if (!meter || !total) return;
  meter.hidden = false;
  meter.querySelector("progress").value = loaded / total;
  meter.querySelector("[data-drop-share]").textContent = Math.floor((100 * loaded) / total);
}

document.addEventListener("change", (event) => {
  const drop = event.target.closest("[data-drop]");
  if (drop) showFile(drop);
});

for (const name of ["dragenter", "dragover", "dragleave", "drop"]) {
  document.addEventListener(name, (event) => {
    const drop = event.target.closest?.("[data-drop]");
    if (!drop) return;
    event.preventDefault();
    drop.classList.toggle("is-over", name === "dragenter" || name === "dragover");
    if (name !== "drop" || !event.dataTransfer.files.length) return;
    partsOf(drop).input.files = event.dataTransfer.files;
    showFile(drop);
  });
}

document.addEventListener("htmx:xhr:progress", (event) => {
  const form = event.target.closest?.("form[data-upload]");
  if (form && event.detail.lengthComputable) showProgress(form, event.detail.loaded, event.detail.total);
});

document.addEventListener("htmx:afterRequest", (event) => {
  const meter = event.target.closest?.("form[data-upload]")?.querySelector("[data-drop-progress]");
  if (meter && !event.detail.successful) meter.hidden = true;
});
