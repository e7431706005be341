// Follows a batch: fetches the part of the page that changes, and loads the page anew when the batch has moved on.

import { offerNote, tellEnd } from "./tell_batch.js";

const watched = document.querySelector("[data-watch-batch]");
const badge = document.querySelector("[data-badge]");
const said = document.querySelector("[data-said]");
const FIRST_MS = 700;
const SLOWEST_MS = 4000;
let wait = FIRST_MS;

offerNote();
name();
setTimeout(look, wait);

async function look() {
  try {
    const response = await fetch(watched.dataset.watchBatch, { headers: { "X-Requested-With": "fetch" } });
    if (response.redirected) return window.location.reload(); // signed out meanwhile
    if (response.ok) {
      watched.innerHTML = await response.text();
      if (now().phase !== watched.dataset.phase) return moveOn();
      name();
    }
    wait = Math.min(wait * 1.2, SLOWEST_MS);
  } catch {
    wait = SLOWEST_MS; // the portal is away for a moment; the job is not
  }
  setTimeout(look, wait);
}

function now() {
  return watched.firstElementChild.dataset;
}

// The tab says how far it is, the badge in what state. Each stage is read out once; the figures are not.
function name() {
  const { title, words, label } = now();
  if (label) badge.textContent = label;
  if (title) document.title = `${title} · ${watched.dataset.file} · Portico`;
  if (words && said.textContent !== words) said.textContent = words;
}

function moveOn() {
  if (now().phase === "ended") tellEnd(watched.dataset.file, now().state);
  window.location.reload();
}
