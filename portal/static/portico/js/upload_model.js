// The upload of a model: its fields are checked first, then the file goes straight to the bucket with progress, then
// its version is made. Errors show at the fields, and the chosen files stay chosen.

import { Clock, MIB, Meter, ask, post } from "./sending.js";

const form = document.querySelector("[data-upload-model]");
const meter = new Meter(form, form.querySelector("[data-stage]"));
const figures = form.querySelector("[data-figures]");
const notice = form.querySelector("[data-notice]");
let sending = null;

class Stopped extends Error {}

proposeNames();
form.addEventListener("submit", (event) => {
  event.preventDefault();
  clearErrors();
  if (!sending && hasFile()) send();
});
form.querySelector("[data-stop]").addEventListener("click", () => sending?.abort());
window.addEventListener("beforeunload", (event) => {
  if (sending) event.preventDefault();
});
window.addEventListener("pageshow", (event) => {
  if (event.persisted) meter.stop(); // back from the version's page
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

function hasFile() {
  const input = form.elements.namedItem("file");
  const most = Number(input.dataset.maxBytes);
  if (!input.files.length) {
    showErrors({ file: ["Choose the model file."] });
  } else if (input.files[0].size > most) {
    showErrors({ file: [`The file is larger than ${Math.floor(most / MIB)} MB, the most that Portico takes.`] });
  } else if (!input.files[0].size) {
    showErrors({ file: ["The file is empty. Save the fitted model again and upload that file."] });
  } else {
    return true;
  }
  return false;
}

async function send() {
  const file = form.elements.namedItem("file").files[0];
  const fields = new FormData(form); // as they are now: what is typed meanwhile does not count
  fields.delete("file");
  sending = new AbortController();
  const { signal } = sending;
  meter.start();
  try {
    const place = await open(fields, file, signal);
    await transfer(place, file, signal);
    const location = await finish(fields, place.ticket);
    sending = null;
    window.location.assign(location);
  } catch (error) {
    sending = null;
    meter.stop();
    figures.textContent = "";
    if (error.name === "AbortError") say("Stopped. Nothing was kept.", "neutral");
    else if (error instanceof Stopped) say(error.message);
    else say("The connection broke, and nothing was kept. The chosen file is still chosen: try again.");
    if (error.errors) showErrors(error.errors);
  }
}

async function open(fields, file, signal) {
  meter.wait("Checking the fields");
  const announced = new FormData();
  for (const [name, value] of fields.entries()) announced.append(name, value);
  announced.append("file_name", file.name);
  announced.append("size_bytes", file.size);
  const answer = await ask(form.action, announced, { signal });
  if (!answer.ticket) throw refusal(answer, "Nothing was uploaded yet.");
  return answer;
}

async function transfer({ url, fields }, file, signal) {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  body.append("file", file);
  const clock = new Clock();
  meter.at(0, "Uploading");
  const request = await post(url, body, {
    signal,
    onProgress: (sent, all) => {
      meter.at(sent / all, "Uploading");
      const parts = [`${inMib(sent)} of ${inMib(all)} MB`, `${Math.floor((100 * sent) / all)} %`, clock.left(sent, all)];
      figures.textContent = parts.filter(Boolean).join(", ");
    },
    onSent: () => meter.wait("Storing it"),
  });
  if (request.status >= 300) {
    throw new Stopped("The bucket did not take the file. Has it changed since it was chosen? Choose it again.");
  }
}

async function finish(fields, ticket) {
  meter.wait("Making the version");
  fields.append("ticket", ticket);
  const answer = await ask(form.action, fields);
  if (!answer.location) throw refusal(answer, "No version was made.");
  return answer.location;
}

function refusal(answer, outcome) {
  const away = "The portal could not take the file just now. Reload the page and try again.";
  const mend = `${outcome} Mend the marked fields; the chosen files are kept.`;
  const error = new Stopped(answer.errors ? mend : answer.message || away);
  error.errors = answer.errors;
  return error;
}

function inMib(sizeBytes) {
  return (sizeBytes / MIB).toFixed(1);
}

function say(text, tone = "bad") {
  const line = document.createElement("p");
  line.className = `notice tone-${tone}`;
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
