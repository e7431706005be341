// Calls of AWS's JSON protocol that need no key: of the user pool and of the identity pool.

import { Away } from "./errors.js";

const PATIENCE_MS = 10_000;
const AWAY = "The sign-in service cannot be reached just now. Try again in a moment.";

/** What the service refuses: the name of its error, and its own message. */
export class Fault extends Error {
  constructor(name, said) {
    super(said);
    this.name = name;
  }
}

/** The service's answer to `target` ("<service>.<operation>"). Rejects with an Away or a Fault. */
export async function call(endpoint, target, body) {
  const answer = await ask(endpoint, target, body);
  const said = await answer.json().catch(() => ({}));
  if (answer.ok) return said;
  if (answer.status >= 500) throw new Away(AWAY);
  // Some services say the name with their own before it.
  throw new Fault(String(said.__type ?? "").split("#").pop(), String(said.message ?? said.Message ?? ""));
}

async function ask(endpoint, target, body) {
  try {
    return await fetch(endpoint, {
      method: "POST",
      headers: { "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target },
      body: JSON.stringify(body),
      cache: "no-store",
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
  } catch {
    throw new Away(AWAY);
  }
}
