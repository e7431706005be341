// Who is signed in. Tokens are kept for this tab alone, until it is closed; a tab that is opened beside it asks for
// them.

import { revoke, renew, WORDS } from "./cognito.js";
import { SignedOut } from "./errors.js";

const KEY = "portico.session";
// An ID token is renewed while it is still good: what is asked with it may take a while.
const RENEW_BEFORE_MS = 120_000;
const OTHER_TABS_ANSWER_WITHIN_MS = 100;
const OUT = { words: "You are signed out.", tone: "success" };
const ONLY_HERE = {
  words:
    "You are signed out here. The sign-in service could not be told: on a shared computer, close the browser, too.",
  tone: "warning",
};

class Session {
  #kept = null;
  #renewing = null;
  #listeners = new Set();
  #otherTabs = new BroadcastChannel(KEY);

  /** Why nobody is signed in any more, {words, tone}; null where there is nothing to say. */
  whyOut = null;

  /** {sub, email, groups}, or null. */
  get person() {
    return this.#kept && personOf(claimsOf(this.#kept.idToken));
  }

  /** The time at the sign-in service, in milliseconds: a person's clock may be wrong, and signatures are dated. */
  get now() {
    return Date.now() + (this.#kept?.ahead ?? 0);
  }

  /** A good ID token, renewed where needed. Rejects with SignedOut; Away. */
  async idToken() {
    this.#mustBeIn();
    if (this.now < claimsOf(this.#kept.idToken).exp * 1000 - RENEW_BEFORE_MS) return this.#kept.idToken;
    return this.renew();
  }

  /** Another ID token, though the one at hand may seem good. Rejects with SignedOut; Away. */
  renew() {
    this.#renewing ??= this.#renew().finally(() => (this.#renewing = null));
    return this.#renewing;
  }

  /** Tokens of a sign-in. */
  begin(tokens) {
    this.#keep(datedNow(tokens));
  }

  /** Ends the session here, in the other tabs and at the sign-in service. */
  async signOut() {
    if (!this.#kept) return;
    const { refreshToken } = this.#kept;
    this.#end(OUT);
    await revoke(refreshToken).catch(() => this.#say(ONLY_HERE));
  }

  /** `listener` is called with the person, or null, whenever that changes. */
  onChange(listener) {
    this.#listeners.add(listener);
  }

  /** Goes on with what this tab, or one beside it, has. */
  async resume() {
    this.#otherTabs.addEventListener("message", ({ data }) => this.#hear(data));
    this.#kept = read();
    if (this.#kept) return;
    this.#otherTabs.postMessage({ asks: true });
    await Promise.race([
      new Promise((resolve) => this.#listeners.add(resolve)),
      new Promise((resolve) => setTimeout(resolve, OTHER_TABS_ANSWER_WITHIN_MS)),
    ]);
    this.#listeners.clear();
  }

  async #renew() {
    this.#mustBeIn();
    const before = this.#kept;
    try {
      const tokens = await renew(before.refreshToken);
      if (this.#kept === before) this.#keep(datedNow(tokens));
    } catch (error) {
      if (error instanceof SignedOut && this.#kept === before) this.#end({ words: error.message, tone: "warning" });
      throw error;
    }
    this.#mustBeIn();
    return this.#kept.idToken;
  }

  #mustBeIn() {
    if (!this.#kept) throw new SignedOut(this.whyOut?.words ?? WORDS.ENDED);
  }

  #keep(kept) {
    this.#take(kept);
    this.#otherTabs.postMessage({ kept });
  }

  #end(why) {
    const { sub } = this.person;
    this.#take(null, why);
    this.#otherTabs.postMessage({ ended: sub, why });
  }

  #hear({ asks, kept, ended, why }) {
    if (asks && this.#kept) this.#otherTabs.postMessage({ kept: this.#kept });
    // Of somebody else who signs in beside it, a tab takes no notice.
    if (kept && [undefined, claimsOf(kept.idToken).sub].includes(this.person?.sub)) this.#take(kept);
    if (ended && ended === this.person?.sub) this.#take(null, why);
  }

  #take(kept, why = null) {
    const before = JSON.stringify(this.person);
    this.#kept = kept;
    this.whyOut = why;
    if (kept) sessionStorage.setItem(KEY, JSON.stringify(kept));
    else sessionStorage.removeItem(KEY);
    if (JSON.stringify(this.person) !== before) this.#tell();
  }

  #say(why) {
    if (this.#kept) return;
    this.whyOut = why;
    this.#tell();
  }

  #tell() {
    for (const listener of this.#listeners) listener(this.person);
  }
}

/** How far the service's clock is ahead of this one is seen from when it made the token. */
function datedNow(tokens) {
  return { ...tokens, ahead: claimsOf(tokens.idToken).iat * 1000 - Date.now() };
}

function personOf({ sub, email = "", "cognito:groups": groups = [] }) {
  return { sub, email, groups };
}

/** What a token says. It came from the service itself, over its own connection; whoever else gets it checks it. */
function claimsOf(token) {
  const text = atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"));
  return JSON.parse(new TextDecoder().decode(Uint8Array.from(text, (character) => character.charCodeAt(0))));
}

function read() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY));
    return kept && claimsOf(kept.idToken).sub && kept.refreshToken ? kept : null;
  } catch {
    return null; // of another release, or by somebody's hand
  }
}

export const session = new Session();
export const onChange = (listener) => session.onChange(listener);

await session.resume();
