// What the page must know of the cloud side: docs/contract.md, section 9.

const INCOMPLETE = "This page did not load completely. Load it again in a moment.";

export const config = await load().catch(giveUp);

async function load() {
  const answer = await fetch(new URL("../config.json", import.meta.url), { cache: "no-cache" });
  if (!answer.ok) throw new Error(`config.json: HTTP ${answer.status}`);
  return answer.json();
}

/** Without it no other module starts, so that it is said here. */
function giveUp(error) {
  const words = document.createElement("p");
  words.setAttribute("role", "alert");
  words.textContent = INCOMPLETE;
  document.querySelector("main").replaceChildren(words);
  throw error;
}
