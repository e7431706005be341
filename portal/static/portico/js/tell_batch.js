// A note from the browser when the batch has ended. It asks for leave when its button is pressed, and not before; it
// works while the tab is open.

const WORDS = {
  done: "Every row is scored.",
  done_with_errors: "It is scored; some rows could not be.",
  failed: "It was not scored. The page says why.",
  cancelled: "It was cancelled.",
};
const place = document.querySelector("[data-tell]");
let isWanted = false;

/** Shows the button where the browser can give notes. */
export function offerNote() {
  if (!place || !("Notification" in window) || Notification.permission === "denied") return;
  place.hidden = false;
  place.querySelector("button").addEventListener("click", ask);
}

/** Gives the note, if it was asked for. */
export function tellEnd(file, state) {
  if (!isWanted || Notification.permission !== "granted") return;
  const note = new Notification(file, { body: WORDS[state] ?? "It has ended." });
  note.addEventListener("click", () => window.focus());
}

async function ask() {
  isWanted = (await Notification.requestPermission()) === "granted";
  const words = place.querySelector("[data-tell-words]");
  if (!isWanted) {
    words.textContent = "Your browser does not allow notes from this page.";
    return;
  }
  place.querySelector("button").remove();
  words.textContent = "You will get a note from your browser, as long as this tab stays open.";
}
