// What stands above a model's screens, and the screens that say why there is none.

import { element } from "../portico/js/drawing.js";

const ASKERS = ["predictor", "model-owner", "admin"];

/** May this person ask models? The pool's groups are named as the portal's roles. */
export function mayAsk({ groups }) {
  return groups.some((group) => ASKERS.includes(group));
}

export function hasRole({ groups }) {
  return mayAsk({ groups }) || groups.includes("viewer");
}

/** The model's name, and the way between its screens. tab: predict, file */
export function drawHead({ slug, name, summary }, tab) {
  const link = (to, href, words) => element("a", { href, "aria-current": tab === to && "page" }, words);
  return element(
    "header",
    { class: "model-head" },
    element("div", {}, element("h1", {}, name), summary && element("p", { class: "lead" }, summary)),
    element(
      "nav",
      { class: "tabs", "aria-label": name },
      link("predict", `#/${slug}`, "Predict one"),
      link("file", `#/${slug}/file`, "Score a file"),
    ),
  );
}

export function showNothing(root) {
  showWords(root, "Nothing is here", "The address is wrong, or this model is no longer live.");
}

export function showForbidden(root) {
  showWords(root, "You may not open this page", "Your role does not include it. An administrator can change that.");
}

/** It could not be loaded; the message says why. */
export function showFailure(root, message, again) {
  showWords(root, "This did not load", message);
  const button = element("button", { type: "button", class: "button primary" }, "Try again");
  button.addEventListener("click", again);
  root.append(element("p", {}, button));
}

function showWords(root, heading, words) {
  document.title = `${heading} · Portico`;
  root.className = "page-narrow";
  const models = element("a", { class: "button", href: "#/" }, "Go to the models");
  root.replaceChildren(element("h1", {}, heading), element("p", {}, words), element("p", {}, models));
}
