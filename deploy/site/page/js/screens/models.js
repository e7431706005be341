// The models that answer just now: templates/predictions/home.html.

import { element } from "../../portico/js/drawing.js";
import { hasRole, mayAsk } from "../head.js";
import { readIndex } from "../pages.js";

const NO_ROLE = "Your account has no role yet. Ask an administrator for one.";
const NOT_LIVE = "A model owner has to make one live. It will then appear here.";
const VIEWER =
  "You may see which models there are. To ask them, your account needs the role predictor. " +
  "An administrator can give it.";

export async function showModels(root, { person, signal }) {
  const models = hasRole(person) ? await readIndex() : [];
  if (signal.aborted) return;
  document.title = "Models · Portico";
  root.className = "page-home";
  root.replaceChildren(element("h1", {}, "Models"), ...(models.length ? drawList(models, person) : [drawNone(person)]));
}

function drawList(models, person) {
  const may = mayAsk(person);
  const cards = element("ul", { class: "cards" }, models.map((model) => drawCard(model, may)));
  return may ? [cards] : [element("p", { class: "lead" }, VIEWER), cards];
}

function drawCard({ slug, name, summary, result_label: result, values, version }, may) {
  const hidden = element("span", { class: "hidden" }, ` with ${name}`);
  return element(
    "li",
    { class: "card" },
    element("h2", {}, may ? element("a", { href: `#/${slug}` }, name) : element("span", {}, name)),
    element("p", {}, summary || "No description yet."),
    element("p", { class: "meta" }, `${result} from ${values} value${values === 1 ? "" : "s"} · version ${version}`),
    may && element("p", { class: "links" }, element("a", { href: `#/${slug}/file` }, "Score a file", hidden)),
  );
}

function drawNone(person) {
  return element(
    "div",
    { class: "empty" },
    element("h2", {}, "No model is live yet"),
    element("p", {}, hasRole(person) ? NOT_LIVE : NO_ROLE),
  );
}
