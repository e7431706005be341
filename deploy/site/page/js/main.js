// One page, its screens by the address's hash: #/, #/<model>, #/<model>/file, #/<model>/file/<job>.

import { Told } from "./errors.js";
import { mayAsk, showFailure, showForbidden, showNothing } from "./head.js";
import { showFile } from "./screens/file.js";
import { showJob } from "./screens/job.js";
import { showModels } from "./screens/models.js";
import { showPredict } from "./screens/predict.js";
import { showSignIn } from "./screens/sign_in.js";
import { session } from "./session.js";

const BROKEN = "Something in this page broke. This is a fault of Portico.";
const ROUTES = [
  [/^#?\/?$/, showModels],
  [/^#\/([a-z0-9-]+)\/?$/, forAskers(showPredict)],
  [/^#\/([a-z0-9-]+)\/file\/?$/, forAskers(showFile)],
  [/^#\/([a-z0-9-]+)\/file\/([0-9a-f-]{36})$/, forAskers(showJob)],
];

const main = document.querySelector("#content");
const header = document.querySelector(".top");
const menu = header.querySelector(".menu");
let leaving = new AbortController();
let isFirst = true;

document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // its hash is no screen's
  main.focus();
});
menu.querySelector("button").addEventListener("click", () => {
  menu.open = false;
  session.signOut();
});
window.addEventListener("hashchange", show);
session.onChange(show);
show();

async function show() {
  leaving.abort();
  const { signal } = (leaving = new AbortController());
  const { person } = session;
  header.hidden = !person;
  if (!person) {
    main.removeAttribute("aria-busy");
    showSignIn(main);
    isFirst = false;
    return;
  }
  menu.querySelector("summary").textContent = person.email || "Your account";
  main.setAttribute("aria-busy", "true"); // what was there stays until the next is ready
  await draw(signal);
  if (signal.aborted) return;
  main.removeAttribute("aria-busy");
  if (!isFirst) start();
  isFirst = false;
}

async function draw(signal) {
  const [screen, parts] = find(window.location.hash);
  try {
    await screen(main, { person: session.person, signal }, ...parts);
  } catch (error) {
    if (signal.aborted) return;
    showFailure(main, error instanceof Told ? error.message : BROKEN, show);
    if (!(error instanceof Told)) throw error;
  }
}

function find(hash) {
  for (const [form, screen] of ROUTES) {
    const match = form.exec(hash);
    if (match) return [screen, match.slice(1)];
  }
  return [showNothing, []];
}

function forAskers(screen) {
  return (root, context, ...parts) => (mayAsk(context.person) ? screen(root, context, ...parts) : showForbidden(root));
}

/** As a page that was loaded: from the top, and read out by its heading. */
function start() {
  window.scrollTo(0, 0);
  const heading = main.querySelector("h1");
  if (!heading) return;
  heading.tabIndex = -1;
  heading.focus();
}
