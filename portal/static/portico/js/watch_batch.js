// Fetches the part of the page that changes until the batch has ended.

const watched = document.querySelector("[data-watch-batch]");
const FIRST_MS = 700;
const SLOWEST_MS = 5000;
let wait = FIRST_MS;

function goesOn() {
  return watched.querySelector("[data-goes-on]") !== null;
}

async function look() {
  try {
    const response = await fetch(watched.dataset.watchBatch, { headers: { "X-Requested-With": "fetch" } });
    if (response.ok && !response.redirected) watched.innerHTML = await response.text();
    wait = Math.min(wait * 1.2, SLOWEST_MS);
  } catch {
    wait = SLOWEST_MS; // the portal is away for a moment; the job is not
  }
  if (goesOn()) setTimeout(look, wait);
}

if (goesOn()) setTimeout(look, wait);
