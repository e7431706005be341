// Signs requests to S3.
//
// Source: "Authenticating Requests (AWS Signature Version 4)" of the S3 API reference

const ALGORITHM = "AWS4-HMAC-SHA256";
// What is in the body, TLS protects: a file of gigabytes is not read twice.
const UNSIGNED = "UNSIGNED-PAYLOAD";

const utf8 = (text) => new TextEncoder().encode(text);

/** The headers to send: `headers` and those of the signature; Host the browser adds itself.
    `url` must have its key from encodedKey, and no query. `at`: the time at AWS, in milliseconds. */
export async function sign({ method, url, headers = {}, region, keys, at }) {
  const time = `${new Date(at).toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z`;
  const sent = {
    ...headers,
    "x-amz-content-sha256": UNSIGNED,
    "x-amz-date": time,
    "x-amz-security-token": keys.sessionToken,
  };
  const { host, pathname } = new URL(url);
  const named = Object.entries({ ...sent, host })
    .map(([name, value]) => [name.toLowerCase(), String(value).trim().replaceAll(/ +/g, " ")])
    .sort(([one], [other]) => (one < other ? -1 : 1));
  const names = named.map(([name]) => name).join(";");
  const lines = named.map(([name, value]) => `${name}:${value}\n`).join("");
  const request = [method, pathname, "", lines, names, UNSIGNED].join("\n");
  const scope = [time.slice(0, 8), region, "s3", "aws4_request"];
  const message = [ALGORITHM, time, scope.join("/"), await sha256(request)].join("\n");
  const signature = hex(await hmac(await signingKey(keys.secretKey, scope), message));
  const credential = [keys.accessKeyId, ...scope].join("/");
  const proof = [`Credential=${credential}`, `SignedHeaders=${names}`, `Signature=${signature}`].join(", ");
  return { ...sent, Authorization: `${ALGORITHM} ${proof}` };
}

/** A key as it stands in an address, and as it is signed. */
export function encodedKey(key) {
  const strictly = (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  return key
    .split("/")
    .map((part) => encodeURIComponent(part).replaceAll(/[!'()*]/g, strictly))
    .join("/");
}

async function signingKey(secret, scope) {
  let key = utf8(`AWS4${secret}`);
  for (const part of scope) key = await hmac(key, part);
  return key;
}

async function hmac(secret, message) {
  const key = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return crypto.subtle.sign("HMAC", key, utf8(message));
}

async function sha256(text) {
  return hex(await crypto.subtle.digest("SHA-256", utf8(text)));
}

function hex(buffer) {
  return Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
