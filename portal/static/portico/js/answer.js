// An answer (docs/contract.md section 3) about a model's page (page.json, section 9), drawn as
// templates/predictions/_result.html draws it, element for element.

import { element, svg } from "./drawing.js";
import { duration, figure, fixed, percent } from "./numbers.js";

/** The section with the result.

    page: the page.json of the version that answered; answer: what it said
    asked: {datetime, shown}, the moment for programs and for people; url: of the answer's own page, if it has one */
export function drawAnswer(page, answer, { asked, url }) {
  const band = bandOf(page, answer);
  return element(
    "section",
    { class: "result", "aria-labelledby": "result-title" },
    element("h2", { id: "result-title" }, page.result_label),
    element(
      "div",
      { class: "panel" },
      element("p", { class: "outcome" }, drawOutcome(page, answer)),
      band && element("p", { class: `band tone-${band.tone}` }, band.label),
      answer.prediction.probabilities ? drawBars(page, answer) : drawScores(answer.prediction.scores),
      drawFacts(page, answer, { asked, url }),
    ),
  );
}

/** The answer in one sentence, for those who do not see it appear. */
export function sayAnswer(page, answer) {
  const words = drawOutcome(page, answer).map((part) => part.textContent ?? part).join("");
  return [`${page.result_label}: ${words}`, bandOf(page, answer)?.label].filter(Boolean).join(". ");
}

/** A moment of this browser's clock, as `asked` has it. */
export function momentOf(date) {
  const month = date.toLocaleString("en-GB", { month: "long" });
  const time = [date.getHours(), date.getMinutes()].map((part) => String(part).padStart(2, "0")).join(":");
  return { datetime: date.toISOString(), shown: `${date.getDate()} ${month} ${date.getFullYear()}, ${time}` };
}

/** The words for a class, or the class itself. */
export function classWord(page, label) {
  const words = page.class_words ?? {};
  const text = asPython(label);
  // JSON's 1.0 is 1 here, and the words' keys are as Python writes the class.
  return words[text] || words[`${text}.0`] || text;
}

/** The band of wording that an answer falls into, where it says more than the class does. */
export function bandOf(page, { output, prediction }) {
  const number = tellingNumber(output, prediction);
  if (number === null || number === undefined) return null;
  const band = page.bands.find(({ upper }) => upper === null || number <= upper);
  return band && output.classes?.length && band.label === classWord(page, prediction.label) ? null : (band ?? null);
}

function tellingNumber(output, { value, probabilities }) {
  if (output.type === "regression") return value;
  if (!probabilities?.length) return null;
  return output.type === "binary" ? probabilities.at(-1) : Math.max(...probabilities);
}

function drawOutcome(page, { output, prediction }) {
  if (output.type === "regression") {
    return [figure(prediction.value), page.result_unit ? ` ${page.result_unit}` : ""];
  }
  return [output.classes?.length ? classWord(page, prediction.label) : asPython(prediction.label)];
}

function drawBars(page, { output, prediction }) {
  const shares = output.classes.map((name, place) => ({ name, share: prediction.probabilities[place] }));
  shares.sort((one, other) => other.share - one.share);
  const rows = shares.map(({ name, share }) => drawBar(classWord(page, name), share, name === prediction.label));
  return element(
    "table",
    { class: "bars" },
    element("caption", { class: "hidden" }, "Probability of each class"),
    element(
      "thead",
      { class: "hidden" },
      element("tr", {}, ["Class", "Picture", "Probability"].map((head) => element("th", { scope: "col" }, head))),
    ),
    element("tbody", {}, rows),
  );
}

function drawBar(word, share, isAnswer) {
  return element(
    "tr",
    { class: isAnswer && "is-answer" },
    element("th", { scope: "row" }, word),
    element(
      "td",
      { class: "picture" },
      svg(
        "svg",
        { width: "100%", height: 12, "aria-hidden": "true", focusable: "false" },
        svg("rect", { class: "track", width: "100%", height: 12, rx: 3 }),
        svg("rect", { class: "fill", width: `${fixed(100 * share, 3)}%`, height: 12, rx: 3 }),
      ),
    ),
    element("td", { class: "number" }, percent(share)),
  );
}

function drawScores(given) {
  if (given === null || given === undefined) return null;
  const scores = [given].flat();
  const listed = scores.map((score, place) => [place ? ", " : "", figure(score)]);
  const words = `This model gives no probabilities. Its decision score${scores.length === 1 ? "" : "s"}: `;
  return element("p", { class: "aside" }, words, listed);
}

function drawFacts(page, answer, { asked, url }) {
  const isCold = answer.start === "cold";
  return element(
    "dl",
    { class: "small-facts" },
    drawFact("Model", `${page.name}, version ${answer.model.version}`),
    drawFact("Answered in", `${duration(answer.milliseconds)}${isCold ? ", after loading the model" : ""}`),
    drawFact("Asked", element("time", { datetime: asked.datetime }, asked.shown)),
    url && drawFact("Link", element("a", { href: url }, "to this answer")),
  );
}

function drawFact(name, ...content) {
  return element("div", {}, element("dt", {}, name), element("dd", {}, content));
}

function asPython(label) {
  if (typeof label === "boolean") return label ? "True" : "False";
  return String(label);
}
