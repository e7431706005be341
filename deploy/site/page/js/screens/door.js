// A form before the page's door, as the portal's accounts/_door.html and _field.html have it.

import { element, svg } from "../../portico/js/drawing.js";
import { Refused } from "../cognito.js";

const BROKE = "Something went wrong on this page. Load it again.";
const LOGO = ["M16 3 29 10.5V13H3v-2.5z", "M6 15h4v10H6zM14 15h4v10h-4zM22 15h4v10h-4z", "M3 27h26v2.5H3z"];

/** Fills `root` with a form.
    fields: [{name, label, help, value, ...attributes}]; said: {words, tone}, above it all; aside: below the form;
    onSubmit(values) may reject with an error that is told: Refused at its field, all else above the fields. */
export function showDoor(root, { heading, lead, said, fields, button, aside, onSubmit }) {
  document.title = `${heading} · Portico`;
  const form = element(
    "form",
    { method: "post" },
    fields.map(drawField),
    element("button", { class: "primary wide" }, button),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit(form, onSubmit);
  });
  const door = element(
    "div",
    { class: "door" },
    element("p", { class: "brand" }, drawLogo(), element("span", {}, "Portico")),
    element("h1", {}, heading),
    lead && element("p", {}, lead),
    form,
    element("p", { class: "aside" }, aside),
  );
  root.className = "page-door";
  // The line of words stays where it is: a new one would not be read out.
  const before = root.querySelector(":scope > .door");
  if (before) before.replaceWith(door);
  else root.replaceChildren(element("div", { role: "status" }), door);
  say(root, said);
  firstEmpty(form).focus();
}

/** What the person is to know before anything else. */
export function say(root, said) {
  const line = said && element("li", { class: `notice tone-${said.tone}` }, said.words);
  root.querySelector("[role=status]").replaceChildren(...(line ? [element("ul", { class: "messages" }, line)] : []));
}

/** A link to another form: nothing in the address changes, which holds where the person wanted to go. */
export function link(words, onPress) {
  const made = element("button", { type: "button", class: "link" }, words);
  made.addEventListener("click", onPress);
  return made;
}

async function submit(form, onSubmit) {
  const button = form.querySelector("button.primary");
  clear(form);
  button.disabled = true;
  form.setAttribute("aria-busy", "true");
  try {
    await onSubmit(Object.fromEntries(new FormData(form)));
  } catch (error) {
    tell(form, error);
  }
  button.disabled = false;
  form.removeAttribute("aria-busy");
}

/** At the field that is meant, else above the form. Passwords are typed anew. */
function tell(form, error) {
  const words = error.forPeople ? error.message : BROKE;
  if (!error.forPeople) console.error(error);
  for (const input of form.querySelectorAll("input[type=password]")) input.value = "";
  const field = error instanceof Refused && error.field;
  if (!field) {
    form.before(element("p", { class: "notice tone-bad", role: "alert" }, words));
    firstEmpty(form).focus();
    return;
  }
  const input = form.elements[field];
  const problem = element("ul", { class: "errorlist", id: `${input.id}_error` }, element("li", {}, words));
  input.closest(".field").classList.add("has-error");
  input.closest(".field").querySelector(".below").prepend(problem);
  input.setAttribute("aria-invalid", "true");
  input.setAttribute("aria-describedby", `${problem.id} ${input.getAttribute("aria-describedby") ?? ""}`.trim());
  input.focus();
  input.select();
}

function clear(form) {
  form.parentElement.querySelector("[role=alert]")?.remove();
  for (const problem of form.querySelectorAll(".errorlist")) {
    const field = problem.closest(".field");
    const [input, help] = [field.querySelector("input"), field.querySelector(".help")];
    field.classList.remove("has-error");
    problem.remove();
    input.removeAttribute("aria-invalid");
    if (help) input.setAttribute("aria-describedby", help.id);
    else input.removeAttribute("aria-describedby");
  }
}

function drawField({ name, label, help, ...attributes }) {
  const id = `id_${name}`;
  // Only a password manager sees it: it learns whose the new password is.
  if (attributes.hidden) return element("input", { type: "text", name, ...attributes });
  const input = element("input", {
    type: "text",
    name,
    id,
    required: true,
    "aria-describedby": help && `${id}_helptext`,
    ...attributes,
  });
  return element(
    "div",
    { class: "field" },
    element("label", { for: id }, label),
    input,
    element("div", { class: "below" }, help && element("div", { class: "help", id: `${id}_helptext` }, help)),
  );
}

function firstEmpty(form) {
  const inputs = [...form.querySelectorAll("input:not([hidden])")];
  return inputs.find((input) => !input.value) ?? inputs[0];
}

function drawLogo() {
  const size = { viewBox: "0 0 32 32", width: "28", height: "28" };
  const paths = LOGO.map((d) => svg("path", { d }));
  return svg("svg", { class: "logo", ...size, "aria-hidden": "true", focusable: "false" }, paths);
}
