// The portal's predict page without loading it anew: the answer has its own address all the same, and "back" leads to
// what stood there before. Without this script the form is posted.

import { Asking, NoAnswer, Refusal } from "./asking.js";

const BROKEN = "The connection broke.";
// A form whose token is over, or that nobody takes for another reason: what the portal says of it is a page.
const NOT_TAKEN = "The portal did not take this form. Load the page again.";
const SIGNED_OUT = "You are signed out. Sign in in another tab, then ask again here.";

const form = document.querySelector("[data-predict]");
const { features } = JSON.parse(document.querySelector("#page").textContent);
// What stood at each of this page's addresses: {typed, result}. After a reload they are the server's to show.
const stood = [];
const opened = crypto.getRandomValues(new Uint32Array(1))[0];
let now = 0;

const asking = new Asking(document, features, { ask, onAnswer: moveOn });
if (asking.result) stood[now] = { typed: asking.typed, result: asking.result };
history.replaceState({ opened, at: now }, "");

window.addEventListener("popstate", ({ state }) => {
  if (state?.opened !== opened) {
    if (!window.location.hash) window.location.reload();
    return;
  }
  keepForm();
  now = state.at;
  asking.show(stood[now].typed, stood[now].result);
});

async function ask() {
  const request = { method: "POST", body: new FormData(form), headers: { Accept: "application/json" } };
  let response;
  try {
    response = await fetch(form.action, request);
  } catch {
    throw new NoAnswer(BROKEN);
  }
  if (response.redirected) throw new NoAnswer(SIGNED_OUT);
  const told = await response.json().catch(() => ({ message: NOT_TAKEN }));
  if (response.ok && told.answer) return told;
  if (response.status === 422) throw new Refusal(told.message, told.fields);
  throw new NoAnswer(told.message, told.reference ?? response.headers.get("X-Request-Id") ?? "");
}

function moveOn(url, moment) {
  keepForm();
  now += 1;
  stood.length = now;
  stood.push(moment);
  history.pushState({ opened, at: now }, "", url);
}

// An answer stands beside the values that it was given to, a form beside those that were typed last.
function keepForm() {
  if (!asking.result) stood[now] = { typed: asking.typed, result: null };
}
