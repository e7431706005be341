// What the portal publishes of its models: pages/index.json and pages/<slug>/page.json (docs/contract.md, section 9).

import { getObject } from "./aws.js";
import { config } from "./config.js";

const EVERY_MS = 30_000;
const known = new Map();

/** The models that this page is for, by name. */
export async function readIndex() {
  const index = await read("pages/index.json");
  return (index?.models ?? []).filter(({ slug }) => isOffered(slug));
}

/** A model's page.json, or null where it is not live, or not for this page. */
export async function readPage(slug) {
  return isOffered(slug) ? read(keyOf(slug)) : null;
}

/** Looks after a model's page every now and then, and when the person comes back to it, until `signal` says stop.

    onChange(page): another one, or null where the model is live no more
    Returns a function that looks at once. */
export function watchPage(slug, page, { onChange, signal }) {
  let last = page;
  async function look() {
    const found = await readPage(slug);
    if (signal.aborted || found === last) return;
    last = found;
    onChange(found);
  }
  const lookQuietly = () => document.visibilityState === "visible" && look().catch(() => {}); // the next look may do
  const timer = setInterval(lookQuietly, EVERY_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
  window.addEventListener("focus", lookQuietly, { signal });
  document.addEventListener("visibilitychange", lookQuietly, { signal });
  return look;
}

/** The same object as before where it has not changed. */
async function read(key) {
  const before = known.get(key);
  const { status, json, etag } = await getObject(key, { etag: before?.etag });
  if (status === 304) return before.json;
  if (status === 200) known.set(key, { json, etag });
  else known.delete(key);
  return json;
}

function isOffered(slug) {
  return config.models === null || config.models.includes(slug);
}

function keyOf(slug) {
  return `pages/${slug}/page.json`;
}
