// Signing in: address and password, what the pool may ask after them, and the way back from a forgotten password.

import * as cognito from "../cognito.js";
import { ChallengeOver, Refused, ResetRequired } from "../cognito.js";
import { session } from "../session.js";
import { link, say, showDoor } from "./door.js";

// The portal's: portal/accounts/cognito/forms.py and views/passwords.py. The rules are those of the template's pool;
// another pool's are told when it refuses a password.
export const WORDS = {
  PASSWORD_RULES: "At least 12 characters, among them a small letter, a capital letter and a digit.",
  NOT_ALIKE: "The two are not alike. Type the same password twice.",
  SENT: "If there is an account with this address, a code is on its way to it. It is good for an hour.",
  CHANGED: "Your new password is set. Sign in with it.",
};
const LONGEST = { name: 128, password: 256, code: 2048 }; // what Cognito takes

/** Shows the form that opens the page, until somebody is signed in. */
export function showSignIn(root) {
  const said = session.whyOut;
  if (root.querySelector(":scope > .door")) {
    if (said) say(root, said);
    return;
  }
  showPassword(root, { said });
}

function showPassword(root, { said = null, username = "" } = {}) {
  showDoor(root, {
    heading: "Sign in",
    said,
    fields: [nameField(username), passwordField("password", "Password", { autocomplete: "current-password" })],
    button: "Sign in",
    aside: [
      link("Forgotten the password?", () => showForgotten(root, { username: typedName(root) })),
      " For an account, ask the person who runs this Portico.",
    ],
    onSubmit: async (given) => {
      try {
        await goOn(root, given.username, () => cognito.signIn(given.username, given.password));
      } catch (error) {
        if (!(error instanceof ResetRequired)) throw error;
        showForgotten(root, { said: { words: error.message, tone: "info" }, username: given.username });
      }
    },
  });
}

function showNewPassword(root, challenge, username) {
  showDoor(root, {
    heading: "Choose a password",
    lead: "The one that you were sent was for this first time only.",
    fields: [{ ...nameField(username), hidden: true }, ...newPasswordFields()],
    button: "Set the password",
    aside: [backToSignIn(root)],
    onSubmit: async ({ password, again }) => {
      mustBeAlike(password, again);
      await goOn(root, username, () => cognito.choosePassword(challenge, password));
    },
  });
}

function showCode(root, challenge, username) {
  showDoor(root, {
    heading: "Enter the code",
    fields: [
      {
        name: "code",
        label: "Code",
        help: "The six digits that your authenticator shows for this account.",
        autocomplete: "one-time-code",
        inputmode: "numeric",
      },
    ],
    button: "Go on",
    aside: [backToSignIn(root)],
    onSubmit: async ({ code }) => {
      // Blanks, as authenticators show them, do no harm.
      const digits = code.replaceAll(/\s/g, "");
      if (!/^\d{6}$/.test(digits)) throw new Refused("The code is six digits.", "code");
      await goOn(root, username, () => cognito.answerTotp(challenge, digits));
    },
  });
}

function showForgotten(root, { said = null, username = "" }) {
  showDoor(root, {
    heading: "Forgotten the password?",
    lead: "A code is sent to your e-mail address. With it you choose a new password.",
    said,
    fields: [nameField(username)],
    button: "Send the code",
    aside: [
      link("I have a code already", () => showReset(root, { username: typedName(root) })),
      " · ",
      backToSignIn(root),
    ],
    onSubmit: async (given) => {
      await cognito.sendCode(given.username);
      showReset(root, { said: { words: WORDS.SENT, tone: "info" }, username: given.username });
    },
  });
}

function showReset(root, { said = null, username = "" }) {
  showDoor(root, {
    heading: "Choose a new password",
    said,
    fields: [
      nameField(username),
      {
        name: "code",
        label: "Code",
        help: "It was sent to that address. Look among unwanted mail, too.",
        maxlength: LONGEST.code,
        autocomplete: "one-time-code",
      },
      ...newPasswordFields(),
    ],
    button: "Set the password",
    aside: [
      link("Send another code", () => showForgotten(root, { username: typedName(root) })),
      " · ",
      backToSignIn(root),
    ],
    onSubmit: async (given) => {
      mustBeAlike(given.password, given.again);
      await cognito.setPassword(given.username, { code: given.code.trim(), password: given.password });
      showPassword(root, { said: { words: WORDS.CHANGED, tone: "success" }, username: given.username });
    },
  });
}

/** In, or to the next question. */
async function goOn(root, username, answer) {
  const form = root.querySelector("form");
  let step;
  try {
    step = await answer();
  } catch (error) {
    if (!(error instanceof ChallengeOver)) throw error;
    showPassword(root, { said: { words: error.message, tone: "warning" }, username });
    return;
  }
  // Whoever went back meanwhile is not drawn on.
  if (!form.isConnected) return;
  if (step.tokens) session.begin(step.tokens);
  else if (step.name === cognito.TOTP) showCode(root, step, username);
  else showNewPassword(root, step, username);
}

function mustBeAlike(password, again) {
  if (password !== again) throw new Refused(WORDS.NOT_ALIKE, "again");
}

function backToSignIn(root) {
  return link("Back to sign in", () => showPassword(root, { username: typedName(root) }));
}

function typedName(root) {
  return root.querySelector("[name=username]")?.value ?? "";
}

function nameField(value) {
  return {
    name: "username",
    label: "E-mail address",
    value,
    maxlength: LONGEST.name,
    autocomplete: "username",
    autocapitalize: "none",
    spellcheck: "false",
    inputmode: "email",
  };
}

function passwordField(name, label, more) {
  return { name, label, type: "password", maxlength: LONGEST.password, ...more };
}

function newPasswordFields() {
  const autocomplete = "new-password";
  return [
    passwordField("password", "New password", { autocomplete, help: WORDS.PASSWORD_RULES }),
    passwordField("again", "New password, again", { autocomplete }),
  ];
}
