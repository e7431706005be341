// Begins the check of a version that was just uploaded, shows how far it is, and opens the report when it has ended.

import { ask } from "./sending.js";

const EVERY_MS = 1000;
const section = document.querySelector("[data-check]");
const now = section.querySelector("[data-now]");
const said = section.querySelector("[data-said]");
const problem = section.querySelector("[data-problem]");
const form = section.querySelector("form");
let isMine = false; // this page runs the check, and hears how it ends
let timer = null;

form.addEventListener("submit", (event) => {
  event.preventDefault();
  begin();
});
if ("begin" in section.dataset) begin();
else if (goesOn()) watch();

async function begin() {
  if (isMine) return;
  isMine = true;
  form.hidden = true;
  problem.replaceChildren();
  watch();
  let answer;
  try {
    answer = await ask(section.dataset.check, new FormData(form));
  } catch {
    answer = { message: "The connection broke. If the check had begun, it goes on without this page." };
  }
  isMine = false;
  if (answer.message) show(answer.message);
  await look();
}

function watch() {
  clearTimeout(timer);
  timer = setTimeout(look, EVERY_MS);
}

/** Fetches the part that changes, and goes on with that until the check has ended. */
async function look() {
  clearTimeout(timer);
  try {
    const response = await fetch(section.dataset.progress, { headers: { "X-Requested-With": "fetch" } });
    if (response.redirected) return window.location.reload(); // signed out meanwhile
    if (response.ok) now.innerHTML = await response.text();
  } catch {
    return watch(); // the portal is away for a moment
  }
  if (!["uploaded", "checking"].includes(state())) return window.location.reload();
  tell();
  if (goesOn() || isMine) return watch();
  form.hidden = false;
}

function state() {
  return now.querySelector("[data-state]").dataset.state;
}

function goesOn() {
  return now.querySelector("[data-goes-on]") !== null;
}

// Each stage is read out once; the seconds are not.
function tell() {
  const words = now.querySelector(".is-now .stage-words")?.textContent ?? "";
  if (words && said.textContent !== words) said.textContent = words;
}

function show(message) {
  const line = document.createElement("p");
  line.className = "notice tone-caution";
  line.setAttribute("role", "alert");
  line.textContent = message;
  problem.replaceChildren(line);
}
