// One observation: templates/predictions/predict.html, out of page.json.

import { momentOf } from "../../portico/js/answer.js";
import { Asking, NoAnswer, Refusal } from "../../portico/js/asking.js";
import { defaultsOf, typedOf } from "../../portico/js/checking.js";
import { element } from "../../portico/js/drawing.js";
import { drawFields } from "../../portico/js/feature_fields.js";
import { predict } from "../api.js";
import { carryOver, hasOtherFields, whatChanged, whatIsKept } from "../changes.js";
import { Told } from "../errors.js";
import { drawHead, showNothing } from "../head.js";
import { readPage, watchPage } from "../pages.js";

const NO_LONGER_LIVE = "This model is no longer live. What you ask now is not answered.";
// What these answer is about the values: it belongs to the form.
const OF_VALUES = ["bad_input", "prediction_failed"];
// What was typed, by person and model, for whoever comes back to the form.
const typedBefore = new Map();

export async function showPredict(root, { person, signal }, slug) {
  const page = await readPage(slug);
  if (signal.aborted) return;
  if (page) new Screen(root, page, { whose: `${person.sub}/${slug}`, signal });
  else showNothing(root);
}

class Screen {
  constructor(root, page, { whose, signal }) {
    const before = typedBefore.get(whose);
    this.page = page;
    this.draw(root, before ? carryOver(before.page, before.typed, page) : defaultsOf(page.features));
    this.asking = new Asking(root, page.features, { ask: (row) => this.ask(row) });
    this.look = watchPage(page.slug, page, { onChange: (found) => this.change(found), signal });
    signal.addEventListener("abort", () => typedBefore.set(whose, { page: this.page, typed: this.asking.typed }));
  }

  draw(root, typed) {
    document.title = `${this.page.name} · Portico`;
    root.className = "page-predict";
    this.head = drawHead(this.page, "predict");
    this.news = element("div", { role: "status" });
    this.fields = element("div", { class: "fields" }, drawFields(this.page.features, typed));
    this.examples = this.drawExamples();
    this.kept = element("p", { class: "aside kept" }, whatIsKept(this.page));
    const button = element("button", { class: "primary" }, "Predict");
    const form = element("form", { class: "panel", novalidate: true, "data-predict": true }, this.fields, button);
    const head = element("div", { class: "ask-head" }, element("h2", { id: "ask-title" }, "Values"), this.examples);
    const ask = element("section", { class: "ask", "aria-labelledby": "ask-title" }, head, form, this.kept);
    const said = element("p", { class: "hidden", role: "status", "data-said": true });
    const sides = element("div", { class: "sides without-result", "data-sides": true }, ask);
    root.replaceChildren(this.head, this.news, said, sides);
  }

  drawExamples() {
    const { examples, features } = this.page;
    const buttons = examples.map(({ name, row }) => {
      const button = element("button", { type: "button", class: "link" }, name);
      button.addEventListener("click", () => this.asking.show(typedOf(features, row), null));
      return [" ", button];
    });
    const words = element("span", {}, "Try an example:");
    return element("p", { class: "examples", hidden: !examples.length }, words, buttons);
  }

  async ask(row) {
    try {
      const answer = await predict(this.page.slug, row);
      // Its words are those of the version that answered, as soon as they are published.
      if (answer.model.version !== this.page.version) await this.look().catch(() => {});
      return { page: this.page, answer, asked: momentOf(new Date()) };
    } catch (error) {
      throw asAsking(error, this.page.features);
    }
  }

  /** The page was published anew; null: the model is not live any more. */
  change(found) {
    if (!found) {
      this.tell([NO_LONGER_LIVE]);
      return;
    }
    const before = this.page;
    this.page = found;
    if (hasOtherFields(before, found)) this.redrawFields(before);
    document.title = `${found.name} · Portico`;
    this.head = swap(this.head, drawHead(found, "predict"));
    this.examples = swap(this.examples, this.drawExamples());
    this.kept.textContent = whatIsKept(found);
    this.tell(whatChanged(before, found));
  }

  /** Whoever is typing goes on where they were. */
  redrawFields(before) {
    const { activeElement } = document;
    const place = before.features.findIndex((_, i) => activeElement?.name === `f${i}`);
    const typed = carryOver(before, this.asking.typed, this.page);
    this.asking.clear();
    this.fields.replaceChildren(...drawFields(this.page.features, typed));
    this.asking.features = this.page.features;
    const now = this.page.features.findIndex(({ name }) => name === before.features[place]?.name);
    this.fields.querySelector(`[name="f${now}"]`)?.focus();
  }

  tell(sentences) {
    if (!sentences.length) return;
    this.news.replaceChildren(element("p", { class: "notice tone-info" }, sentences.join(" ")));
  }
}

/** An API's refusal as the form takes it; fields by the names of the page's. */
function asAsking(error, features) {
  if (!(error instanceof Told)) return error;
  if (!OF_VALUES.includes(error.code)) return new NoAnswer(error.message, error.reference);
  const names = new Map(features.map(({ name }, place) => [name, `f${place}`]));
  const given = Object.entries(error.fields ?? {});
  const known = given.filter(([name]) => names.has(name));
  const fields = Object.fromEntries(known.map(([name, said]) => [names.get(name), said]));
  const others = given.filter(([name]) => !names.has(name)).map(([name, said]) => `${name}: ${said}`);
  return new Refusal(given.length ? others.join(" ") : error.message, fields);
}

function swap(before, after) {
  before.replaceWith(after);
  return after;
}
