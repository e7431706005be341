// The fields of a predict page, out of the features that page.json lists: what templates/_field.html makes of
// portal/predictions/feature_form.py, element for element. Also for fields that the portal has drawn itself.

import { LONGEST_NUMBER, LONGEST_TEXT } from "./checking.js";
import { element } from "./drawing.js";
import { general } from "./numbers.js";

/** One element a feature, in the order of the page. typed: {f0: "44.5", …} */
export function drawFields(features, typed) {
  return features.map((feature, place) => drawField(feature, `f${place}`, typed[`f${place}`] ?? ""));
}

/** What stands in the fields: {f0: "44.5", …} */
export function readTyped(form, features) {
  const data = new FormData(form);
  return Object.fromEntries(features.map((_, place) => [`f${place}`, data.get(`f${place}`) ?? ""]));
}

/** Puts this into the fields. */
export function showTyped(form, features, typed) {
  features.forEach((_, place) => {
    for (const control of controlsOf(form, `f${place}`)) {
      if (control.type === "radio") control.checked = control.value === typed[`f${place}`];
      else control.value = typed[`f${place}`] ?? "";
    }
  });
}

/** Says at each field what is wrong with it, and nothing at the others. problems: {f0: "sentence" or several, …} */
export function showProblems(form, features, problems) {
  features.forEach((_, place) => showProblem(form, `f${place}`, problems[`f${place}`]));
}

/** Says at one field what is wrong with it; with nothing to say, it is well again. */
export function showProblem(form, name, said) {
  const controls = controlsOf(form, name);
  const field = controls[0].closest(".field");
  const list = said?.length ? drawProblem(name, [said].flat()) : null;
  field.querySelector(".errorlist")?.remove();
  if (list) field.querySelector(".below").prepend(list);
  field.classList.toggle("has-error", list !== null);
  for (const control of controls) mark(control, "aria-invalid", list && "true");
  const isSet = field.matches("fieldset");
  const ids = [field.querySelector(".help")?.id, list?.id].filter(Boolean);
  mark(isSet ? field : controls[0], "aria-describedby", (isSet ? ids.reverse() : ids).join(" "));
}

/** Where a person goes on typing: the first field that something is wrong with. */
export function focusFirstProblem(form) {
  form.querySelector("[aria-invalid]")?.focus();
}

function drawField(feature, name, typed) {
  const id = `id_${name}`;
  const label = [
    feature.label || feature.name,
    feature.unit && [" ", element("span", { class: "unit" }, feature.unit)],
    !feature.required && [" ", element("span", { class: "unit" }, "(optional)")],
  ];
  const help = feature.help ? element("div", { class: "help", id: `${id}_helptext` }, feature.help) : null;
  const below = element("div", { class: "below" }, help);
  const describedby = help ? help.id : null;
  if (feature.kind === "boolean") {
    const options = element("div", { class: "options" }, drawRadios(feature, name, typed));
    const legend = element("legend", {}, label);
    return element("fieldset", { class: "field", "aria-describedby": describedby }, legend, options, below);
  }
  const attributes = { name, id, "aria-describedby": describedby };
  const draw = feature.kind === "choice" ? drawSelect : drawInput;
  const control = draw(feature, attributes, typed);
  return element("div", { class: "field" }, element("label", { for: id }, label), control, below);
}

function drawInput(feature, attributes, typed) {
  const isText = feature.kind === "text";
  return element("input", {
    type: "text",
    ...attributes,
    value: typed || null,
    inputmode: isText ? null : feature.kind === "integer" ? "numeric" : "decimal",
    autocomplete: "off",
    "data-step": !isText && feature.step ? general(feature.step) : null,
    maxlength: isText ? LONGEST_TEXT : LONGEST_NUMBER,
    required: feature.required,
  });
}

function drawSelect(feature, attributes, typed) {
  const empty = feature.required && feature.default ? [] : [["", feature.required ? "Choose…" : "Not known"]];
  const options = [...empty, ...feature.choices].map(([value, word]) =>
    element("option", { value, selected: String(value) === typed }, String(word)),
  );
  // A first option with a value makes `required` mean nothing, and is invalid beside it.
  return element("select", { ...attributes, required: feature.required && empty.length > 0 }, options);
}

function drawRadios(feature, name, typed) {
  return [["yes", "Yes"], ["no", "No"]].map(([value, word], i) => {
    const radio = { type: "radio", name, value, id: `id_${name}_${i}`, required: feature.required };
    return element("label", {}, element("input", { ...radio, checked: typed === value }), ` ${word}`);
  });
}

function drawProblem(name, sentences) {
  const lines = sentences.map((said) => element("li", {}, said));
  return element("ul", { class: "errorlist", id: `id_${name}_error` }, lines);
}

function controlsOf(form, name) {
  return [...form.querySelectorAll(`[name="${name}"]`)];
}

function mark(control, attribute, value) {
  if (value) control.setAttribute(attribute, value);
  else control.removeAttribute(attribute);
}
