// The upload of a model with progress, and errors at the fields without losing the chosen files.

const form = document.querySelector("[data-upload-model]");
const progress = form.querySelector("[data-progress]");
const bar = progress.querySelector("progress");
const stage = progress.querySelector("[data-stage]");
const notice = form.querySelector("[data-notice]");
const button = form.querySelector("button.primary");
const MIB = 1024 * 1024;

proposeNames();
form.addEventListener("submit", (event) => {
  event.preventDefault();
  clearErrors();
  if (isSmallEnough()) send();
});

function proposeNames() {
  const name = form.elements.namedItem("name");
  const slug = form.elements.namedItem("slug");
  if (!slug) return;
  slug.addEventListener("input", () => { slug.dataset.typed = "yes"; });
  name.addEventListener("input", () => {
    if (!slug.dataset.typed || !slug.value) slug.value = toSlug(name.value);
  });
}

function toSlug(text) {
  const plain = text.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase();
  return plain.replace(/[^a-z0-9]+/g, "-").slice(0, 60).replace(/^-+|-+$/g, "");
}

function isSmallEnough() {
  const input = form.elements.namedItem("file");
  const most = Number(input.dataset.maxBytes);
  if (!input.files.length || input.files[0].size <= most) return true;
  showErrors({ file: [`The file is larger than ${Math.floor(most / MIB)} MB, the most that Portico takes.`] });
  return false;
}

function send() {
  const request = new XMLHttpRequest();
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "application/json");
  request.responseType = "json";
  request.upload.addEventListener("progress", (event) => {
    if (!event.lengthComputable) return;
    bar.value = (100 * event.loaded) / event.total;
    say(`Uploading: ${(event.loaded / MIB).toFixed(1)} of ${(event.total / MIB).toFixed(1)} MB`);
  });
  request.upload.addEventListener("load", () => {
    bar.removeAttribute("value");
    bar.setAttribute("aria-label", "Check");
    say("Checking: reading it without running it, then loading it and making trial predictions…");
  });
  request.addEventListener("load", () => finish(request));
  request.addEventListener("error", () => stop("The connection broke. Nothing was uploaded; try again."));
  button.disabled = true;
  progress.hidden = false;
  request.send(new FormData(form));
}

function finish(request) {
  if (request.response?.location) {
    window.location.assign(request.response.location);
  } else if (request.response?.errors) {
    stop("Nothing was uploaded yet. Mend the marked fields; the chosen files are kept.");
    showErrors(request.response.errors);
  } else {
    stop("The portal could not take the file just now. Try again in a moment.");
  }
}

function say(text) {
  if (stage.textContent !== text) stage.textContent = text;
}

function stop(text) {
  button.disabled = false;
  progress.hidden = true;
  const line = document.createElement("p");
  line.className = "notice tone-bad";
  line.setAttribute("role", "alert");
  line.textContent = text;
  notice.replaceChildren(line);
  notice.scrollIntoView({ block: "center" });
}

function clearErrors() {
  notice.replaceChildren();
  for (const field of form.querySelectorAll(".field.has-error")) {
    field.classList.remove("has-error");
    field.querySelector(".errorlist")?.remove();
    field.querySelector("[aria-invalid]")?.removeAttribute("aria-invalid");
  }
}

function showErrors(errors) {
  const names = Object.keys(errors);
  for (const name of names) {
    const input = form.elements.namedItem(name);
    if (!input) continue;
    const list = document.createElement("ul");
    list.className = "errorlist";
    list.id = `${input.id}_error`;
    list.append(...errors[name].map((text) => {
      const item = document.createElement("li");
      item.textContent = text;
      return item;
    }));
    const described = [`${input.id}_helptext`, list.id].filter((id) => id === list.id || document.getElementById(id));
    input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-describedby", described.join(" "));
    input.closest(".field").classList.add("has-error");
    input.closest(".field").append(list);
    const fold = input.closest("details");
    if (fold) fold.open = true;
  }
  form.elements.namedItem(names[0])?.focus?.();
}
