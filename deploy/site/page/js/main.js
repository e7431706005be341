// Who is in, and the way out.

import { showSignIn } from "./screens/sign_in.js";
import { session } from "./session.js";

const main = document.querySelector("main");
const header = document.querySelector("header");

header.querySelector("button").addEventListener("click", () => session.signOut());
session.onChange(show);
show(session.person);

function show(person) {
  header.hidden = !person;
  if (!person) {
    showSignIn(main);
    return;
  }
  header.querySelector("summary").textContent = person.email;
  main.className = "";
  main.replaceChildren();
}
