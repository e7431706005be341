// The REST API: docs/contract.md, sections 3, 8 and 9. What it refuses is thrown as a sentence for the person.

import { config } from "./config.js";
import { Away, Told } from "./errors.js";
import { session } from "./session.js";

const AWAY = "The prediction service cannot be reached just now. Try again in a moment.";
const BUSY = "Too many are asking just now. Try again in a moment.";
const NOT_LET_IN = "The prediction service does not know your sign-in. Sign out, and in again.";
const NOT_ALLOWED = "The prediction service does not let you do this. Tell the person who runs this Portico.";
const UNREADABLE = "The prediction service gave an unreadable answer. Try again in a moment.";

/** The API said no. status: HTTP's; code, fields ({feature name: sentence}): section 3's; reference: for the log */
export class Refused extends Told {
  constructor(message, { status, code = "", fields = {}, reference = "" }) {
    super(message);
    Object.assign(this, { status, code, fields, reference });
  }
}

/** What the live version says of one row: an answer as section 3 has it. */
export async function predict(slug, row) {
  const { told } = await call("POST", `${slug}/singlePrediction`, {
    body: row,
    headers: { Accept: "application/vnd.portico.prediction+json" },
  });
  if (!told?.prediction) throw new Away(UNREADABLE);
  return told;
}

/** Has a file scored; its job's id. The same `key` is the same job, however often it is sent. */
export async function startJob(slug, fileKey, { bands, key }) {
  const wanted = bands.length ? { bands: bands.map(({ upper, label }) => ({ upper, label })) } : {};
  const { told } = await call("POST", `${slug}/batchPrediction`, {
    body: { fileKey, ...wanted },
    headers: { Prefer: "respond-async", "Idempotency-Key": key },
  });
  return told.job;
}

/** How far a job is: section 8. */
export async function readJob(slug, job) {
  return (await call("GET", `${slug}/batchPrediction/${job}`)).told;
}

/** Ends a job; one that has ended stays as it is. */
export async function cancelJob(slug, job) {
  await call("DELETE", `${slug}/batchPrediction/${job}`);
}

async function call(method, path, request = {}) {
  let answer = await send(method, path, await session.idToken(), request);
  // The service and this browser may disagree about the time.
  if (answer.status === 401) answer = await send(method, path, await session.renew(), request);
  const told = answer.status === 204 ? null : await answer.json().catch(() => null);
  if (answer.ok) return { told };
  throw refusal(answer, told);
}

async function send(method, path, token, { body, headers = {} }) {
  const content = body && { "Content-Type": "application/json" };
  try {
    return await fetch(`${config.apiUrl}/${path}`, {
      method,
      body: body && JSON.stringify(body),
      headers: { Authorization: token, ...content, ...headers },
      cache: "no-store",
    });
  } catch (error) {
    throw new Away(AWAY, { cause: error });
  }
}

function refusal({ status, headers }, told) {
  const { code, fields } = told?.error ?? {};
  const facts = { status, code, fields, reference: headers.get("X-Request-Id") ?? "" };
  return new Refused(words(status, told), facts);
}

/** API Gateway's own messages are none for people; the function's are. */
function words(status, told) {
  if (status === 401) return NOT_LET_IN;
  if (status === 403) return NOT_ALLOWED;
  if (status === 429) return BUSY;
  const isGateways = /^(internal server error|service unavailable)$/i.test(told?.message);
  return isGateways || status === 502 || status === 504 ? AWAY : (told?.message ?? AWAY);
}
