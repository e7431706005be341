// The upload of a model with progress, and errors at the fields without losing the chosen files.

import { MIB, Meter, post } from "./sending.js";

const form = document.querySelector("[data-upload-model]");
const meter = new Meter(form, form.querySelector("[data-stage]"));
const notice = form.querySelector("[data-notice]");

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

async function send() {
  meter.start();
  let request;
  try {
    request = await post(form.action, new FormData(form), {
      accept: "application/json",
      onProgress: (sent, all) => meter.at(sent / all, `Uploading: ${inMib(sent)} of ${inMib(all)} MB`),
      onSent: () => meter.wait("Checking: reading it without running it, then loading it and making trial predictions…"),
    });
  } catch {
    stop("The connection broke. Nothing was uploaded; try again.");
    return;
  }
  finish(read(request));
}

function inMib(sizeBytes) {
  return (sizeBytes / MIB).toFixed(1);
}

function read(request) {
  try {
    return JSON.parse(request.responseText);
  } catch {
    return {};
  }
}

function finish(answer) {
  if (answer.location) {
    window.location.assign(answer.location);
  } else if (answer.errors) {
    stop("Nothing was uploaded yet. Mend the marked fields; the chosen files are kept.");
    showErrors(answer.errors);
  } else {
    stop("The portal could not take the file just now. Try again in a moment.");
  }
}

function stop(text) {
  meter.stop();
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
