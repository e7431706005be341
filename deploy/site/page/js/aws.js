// The bucket, as far as the browser's role reaches: what the portal publishes, and the person's own folder.

import { config } from "./config.js";
import { Away, Told } from "./errors.js";
import { currentKeys, forgetKeys } from "./keys.js";
import { session } from "./session.js";
import { encodedKey, sign } from "./sigv4.js";

/** What the role lets be put: deploy/template.yaml, BrowserRole. */
export const ENDINGS = [".csv", ".csv.gz", ".csv.zip", ".csv.zst", ".tsv", ".jsonl", ".parquet", ".xlsx"];

const GB = 1024 ** 3;
const MAX_GB = 5; // what S3 takes in one request
const NAME_MAX = 120;
const EMPTY = "The file is empty. Choose a file with a header and at least one row.";
const TOO_LARGE = `The file is larger than ${MAX_GB} GB, the most that one batch takes. Split it and score the pieces.`;
const UNKNOWN_ENDING =
  "Choose a file in CSV, TSV, JSON Lines, Parquet or Excel (.xlsx), whose name ends so. CSV may be packed as .gz, .zst " +
  "or .zip.";
const AWAY = "The store cannot be reached just now. Try again in a moment.";
const NOT_TAKEN = "The store did not take the file. Has it changed since it was chosen?";
const NO_ACCESS = "The store refused this page's request. Tell the person who runs this Portico.";
// S3 says so of keys that are over, or that it does not know (yet).
const KEYS_OVER = ["ExpiredToken", "InvalidAccessKeyId", "InvalidToken", "TokenRefreshRequired"];

/** `{status, json, etag}`; 304: it is still what had this `etag`; 404: it is not there, or not for this person.
    Rejects with SignedOut; Away; Told. */
export async function getObject(key, { etag } = {}) {
  const headers = etag ? { "If-None-Match": etag } : {};
  const answer = await withKeys((keys) => get(key, headers, keys));
  // Of a key that is not there S3 says 403 to whom it would not list the bucket.
  if (answer.status === 404 || answer.code === "AccessDenied") return { status: 404, json: null, etag: null };
  if (answer.status === 304) return { status: 304, json: null, etag };
  if (answer.status !== 200) throw refusal(answer, NO_ACCESS);
  return { status: 200, json: answer.json, etag: answer.etag };
}

/** Puts a file, with its way so far told to `onProgress(sent, all)`. Rejects with SignedOut; Away; Told, and with an
    AbortError where `signal` said to stop. */
export async function putObject(key, file, { onProgress = () => {}, signal } = {}) {
  const answer = await withKeys((keys) => put(key, file, { keys, onProgress, signal }));
  if (answer.status !== 200) throw refusal(answer, NOT_TAKEN);
}

/** Where the person who is signed in may put this file, and the API finds it.
    Throws Told: it is none that can be scored. */
export function fileKeyFor(file) {
  const { sub } = session.person;
  const name = file.name.toLowerCase();
  const ending = ENDINGS.find((each) => name.endsWith(each) && name.length > each.length);
  if (!ending) throw new Told(UNKNOWN_ENDING);
  if (file.size === 0) throw new Told(EMPTY);
  if (file.size > MAX_GB * GB) throw new Told(TOO_LARGE);
  const stem = file.name.slice(0, -ending.length).replaceAll(/[^\p{L}\p{N}._-]+/gu, "_");
  return `${sub}/${Date.now()}_${Array.from(stem).slice(0, NAME_MAX).join("")}${ending}`;
}

/** Asks, and once more with new keys where it was for them. */
async function withKeys(request) {
  const answer = await request(await currentKeys());
  if (!KEYS_OVER.includes(answer.code)) return answer;
  forgetKeys();
  return request(await currentKeys());
}

async function get(key, headers, keys) {
  const url = config.endpoints.s3 + encodedKey(key);
  const signed = await sign({ method: "GET", url, headers, region: config.region, keys, at: session.now });
  try {
    const answer = await fetch(url, { headers: signed, cache: "no-store" });
    const { status } = answer;
    if (status === 200) return { status, json: await answer.json(), etag: answer.headers.get("ETag") };
    return { status, code: codeOf(await answer.text()) };
  } catch (error) {
    throw new Away(AWAY, { cause: error });
  }
}

async function put(key, file, { keys, onProgress, signal }) {
  const url = config.endpoints.s3 + encodedKey(key);
  const headers = { "content-type": "application/octet-stream" };
  const signed = await sign({ method: "PUT", url, headers, region: config.region, keys, at: session.now });
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", url);
    for (const [name, value] of Object.entries(signed)) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", ({ loaded, total }) => onProgress(loaded, total));
    request.addEventListener("load", () => resolve({ status: request.status, code: codeOf(request.responseText) }));
    request.addEventListener("error", () => reject(new Away(AWAY)));
    request.addEventListener("abort", () => reject(new DOMException("stopped", "AbortError")));
    signal?.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}

function refusal({ status, code }, words) {
  return status >= 500 ? new Away(AWAY) : new Told(words, { cause: code });
}

/** The name of S3's error, in its XML. */
function codeOf(text) {
  return /<Code>(\w+)<\/Code>/.exec(text)?.[1] ?? "";
}
