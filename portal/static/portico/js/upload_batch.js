// Sends the chosen file straight to the bucket with a progress bar. Without this script the form posts it to the portal.

import { Meter, post } from "./sending.js";

const form = document.querySelector("[data-upload-batch]");
const zone = form.querySelector("[data-zone]");
const input = form.querySelector("input[type=file]");
const problem = form.querySelector("[data-problem]");
const meter = new Meter(form, form.querySelector("[data-progress-label]"));

class Refusal extends Error {}

for (const name of ["dragenter", "dragover"]) {
  zone.addEventListener(name, (event) => {
    event.preventDefault();
    zone.classList.add("is-over");
  });
}
for (const name of ["dragleave", "drop"]) {
  zone.addEventListener(name, () => zone.classList.remove("is-over"));
}
zone.addEventListener("drop", (event) => {
  event.preventDefault();
  if (event.dataTransfer.files.length === 1) {
    input.files = event.dataTransfer.files;
    form.elements.opening.value = newKey();
  } else {
    show("One file at a time, please.");
  }
});

// A key for each choice of a file: however often that is sent, it is one batch.
input.addEventListener("change", () => {
  form.elements.opening.value = newKey();
});

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const file = input.files[0];
  if (!file) {
    show("Choose a file first.");
    return;
  }
  problem.hidden = true;
  meter.start();
  try {
    const opened = await ask(form.action, { name: file.name, size: file.size, opening: form.elements.opening.value });
    await send(opened, file);
    meter.wait("Looking at it");
    window.location.assign(opened.page);
  } catch (error) {
    meter.stop();
    show(error instanceof Refusal ? error.message : "The connection broke. Nothing was scored; try again.");
  }
});

async function ask(url, content) {
  const token = form.querySelector("[name=csrfmiddlewaretoken]").value;
  const headers = { "Content-Type": "application/json", "X-CSRFToken": token };
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(content) });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) {
    throw new Refusal(answer.message || "The portal could not take the file. Reload the page and try again.");
  }
  return answer;
}

async function send({ url, fields }, file) {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  body.append("file", file);
  const request = await post(url, body, {
    onProgress: (sent, all) => meter.at(sent / all, `Uploading, ${Math.round((100 * sent) / all)} %`),
  });
  if (request.status >= 300) {
    throw new Refusal("The store did not take the file. Has it changed since it was chosen?");
  }
}

function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function show(message) {
  problem.textContent = message;
  problem.hidden = false;
}
