// Sending with a progress bar: what the upload pages share.

export const MIB = 1024 * 1024;

/** Posts `body`; answers the finished request, whatever its status. Rejects where the connection broke. */
export function post(url, body, { accept = "*/*", onProgress, onSent = () => {} }) {
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
    request.send(body);
  });
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
