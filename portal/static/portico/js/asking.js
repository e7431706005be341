// A form of values at work, in the portal and on the published page: what is wrong is said before anything is sent, and
// the answer appears beside the form without another page.

import { drawAnswer, sayAnswer } from "./answer.js";
import { check } from "./checking.js";
import { element } from "./drawing.js";
import { focusFirstProblem, readTyped, showProblem, showProblems, showTyped } from "./feature_fields.js";

const SECOND_LOOK = "Some values need a second look. Nothing was sent.";
const BROKEN = "Something in this page broke.";
const WAIT_MS = 1000;

/** These values cannot be answered. fields: {f0: "sentence" or several, …}; message: what is no field's affair */
export class Refusal extends Error {
  constructor(message, fields = {}) {
    super(message);
    this.fields = fields;
  }
}

/** No answer came; the message says why. */
export class NoAnswer extends Error {
  constructor(message, reference = "") {
    super(message);
    this.reference = reference;
  }
}

/** The form within `place`, with [data-sides] around it and a line [data-said] that is read out.

    ask(row): the answer as {page, answer, asked, url}, or a Refusal or NoAnswer thrown
    onAnswer(url, {typed, result}): what is about to be shown, as `show` takes it */
export class Asking {
  constructor(place, features, { ask, onAnswer = () => {} }) {
    this.sides = place.querySelector("[data-sides]");
    this.said = place.querySelector("[data-said]");
    this.form = place.querySelector("[data-predict]");
    this.button = this.form.querySelector("button.primary");
    this.features = features;
    this.ask = ask;
    this.onAnswer = onAnswer;
    this.form.addEventListener("submit", (event) => this.submit(event));
    // Not at "change", which comes when the button is being pressed: it would move away from under the pointer.
    this.form.addEventListener("input", (event) => this.lookAgain(event.target));
  }

  get typed() {
    return readTyped(this.form, this.features);
  }

  get result() {
    return this.sides.querySelector(".result");
  }

  /** Shows these values and this result, or none, as if nothing had been asked since. */
  show(typed, result) {
    this.clear();
    showTyped(this.form, this.features, typed);
    this.place(result);
  }

  async submit(event) {
    event.preventDefault();
    if (this.button.disabled) return;
    this.clear();
    const { typed } = this;
    const { row, problems } = check(this.features, typed);
    if (Object.keys(problems).length) {
      this.refuse(problems);
      return;
    }
    const before = document.activeElement;
    const waiting = setTimeout(() => this.say("Waiting for the answer"), WAIT_MS);
    this.button.disabled = true;
    try {
      this.take(await this.ask(row), typed);
    } catch (problem) {
      this.button.disabled = false;
      before?.focus();
      this.tell(problem);
    } finally {
      clearTimeout(waiting);
      this.button.disabled = false;
    }
  }

  take(answered, typed) {
    const result = drawAnswer(answered.page, answered.answer, answered);
    result.tabIndex = -1;
    this.onAnswer(answered.url, { typed, result });
    this.place(result);
    this.say(sayAnswer(answered.page, answered.answer));
    result.focus();
  }

  tell(problem) {
    if (problem instanceof Refusal) this.refuse(problem.fields, problem.message);
    else if (problem instanceof NoAnswer) this.fail(problem);
    else {
      this.fail(new NoAnswer(BROKEN));
      throw problem;
    }
  }

  refuse(problems, message = "") {
    showProblems(this.form, this.features, problems);
    const notice = { class: "notice tone-bad", role: "alert", "data-problem": true };
    this.form.querySelector(".fields").before(element("p", notice, message || SECOND_LOOK));
    focusFirstProblem(this.form);
  }

  fail({ message, reference }) {
    const words = element("p", {}, element("strong", {}, "No answer."), ` ${message} What you typed is still here.`);
    const named = reference && element("p", {}, "Reference ", element("code", {}, reference));
    this.sides.before(element("div", { class: "notice tone-bad", role: "alert", "data-failure": true }, words, named));
  }

  clear() {
    this.form.querySelector("[data-problem]")?.remove();
    this.sides.parentElement.querySelector("[data-failure]")?.remove();
    this.say("");
    showProblems(this.form, this.features, {});
  }

  // A field that was wrong says so until it is right; one that is only being filled in is left in peace.
  lookAgain(control) {
    if (!control.hasAttribute("aria-invalid")) return;
    showProblem(this.form, control.name, check(this.features, this.typed).problems[control.name]);
    if (!this.form.querySelector("[aria-invalid]")) this.form.querySelector("[data-problem]")?.remove();
  }

  place(result) {
    this.result?.remove();
    if (result) this.sides.prepend(result);
    this.sides.classList.toggle("without-result", !result);
    this.form.closest(".ask").querySelector("h2").textContent = result ? "Ask again" : "Values";
  }

  say(text) {
    this.said.textContent = text;
  }
}
