// Sending with a progress bar: what the upload pages share.

export const MIB = 1024 * 1024;

/** Posts `body`; answers the finished request, whatever its status. Rejects where the connection broke, and with an
    AbortError where `signal` said to stop. */
export function post(url, body, { accept = "*/*", onProgress, onSent = () => {}, signal }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.setRequestHeader("Accept", accept);
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) onProgress(event.loaded, event.total);
    });
    request.upload.addEventListener("load", onSent);
    request.addEventListener("load", () => resolve(request));
    request.addEventListener("error", () => reject(new Error("the connection broke")));
    request.addEventListener("abort", () => reject(new DOMException("stopped", "AbortError")));
    signal?.addEventListener("abort", () => request.abort());
    request.send(body);
  });
}

/** Posts a form's content to the portal; answers its JSON, an empty object where there was none. */
export async function ask(url, body, { signal } = {}) {
  const response = await fetch(url, { method: "POST", body, signal, headers: { Accept: "application/json" } });
  return response.json().catch(() => ({}));
}

/** How long the rest takes, in words, from what has gone so far. */
export class Clock {
  constructor() {
    this.begun = performance.now();
  }

  left(sent, all) {
    const seconds = ((performance.now() - this.begun) / 1000) * (all / sent - 1);
    if (!Number.isFinite(seconds) || performance.now() - this.begun < 1000) return "";
    if (seconds < 60) return `about ${Math.max(1, Math.round(seconds))} s left`;
    return `about ${Math.round(seconds / 60)} min left`;
  }
}

/** The form's progress bar with its line of words; the form's button rests while it shows. */
export class Meter {
  constructor(form, words) {
    this.panel = form.querySelector("[data-progress]");
    this.bar = this.panel.querySelector("progress");
    this.button = form.querySelector("button.primary");
    this.words = words;
  }

  start() {
    this.button.disabled = true;
    this.panel.hidden = false;
    this.bar.value = 0;
  }

  stop() {
    this.button.disabled = false;
    this.panel.hidden = true;
  }

  at(share, text) {
    this.bar.value = this.bar.max * share;
    this.say(text);
  }

  /** Nobody knows how long this takes. */
  wait(text) {
    this.bar.removeAttribute("value");
    this.say(text);
  }

  // A line that is read out changes only where its words do.
  say(text) {
    if (this.words.textContent !== text) this.words.textContent = text;
  }
}
