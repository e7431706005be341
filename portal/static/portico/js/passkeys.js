// Asks the browser for a passkey and posts what it hands over. `data-passkey` says whether one is made or shown;
// the server's options lie in the page (`data-options`) or are fetched when they are needed (`data-options-url`).

const FAILED = "The browser handed no passkey over. Try again, or take another way.";

if (window.PublicKeyCredential) {
  for (const note of document.querySelectorAll("[data-without-passkeys]")) note.hidden = true;
  for (const form of document.querySelectorAll("form[data-passkey]")) offer(form);
}

function offer(form) {
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    const problem = form.querySelector("[data-problem]");
    button.disabled = true;
    problem.hidden = true;
    try {
      const options = read((await optionsOf(form)).publicKey);
      const credential = await navigator.credentials[form.dataset.passkey]({ publicKey: options });
      form.elements.credential.value = JSON.stringify(write(credential));
      form.submit();
    } catch {
      problem.textContent = FAILED;
      problem.hidden = false;
      button.disabled = false;
    }
  });
}

async function optionsOf(form) {
  if (form.dataset.options) return JSON.parse(document.getElementById(form.dataset.options).textContent);
  const answer = await fetch(form.dataset.optionsUrl, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  return (await answer.json()).request_options;
}

// The server's JSON has bytes as base64url, the browser wants and gives them as buffers.
function read(options) {
  const keys = (list) => list?.map((key) => ({ ...key, id: toBytes(key.id) }));
  const bytes = { ...options, challenge: toBytes(options.challenge) };
  if (options.user) bytes.user = { ...options.user, id: toBytes(options.user.id) };
  if (options.excludeCredentials) bytes.excludeCredentials = keys(options.excludeCredentials);
  if (options.allowCredentials) bytes.allowCredentials = keys(options.allowCredentials);
  return bytes;
}

function write(credential) {
  const response = { clientDataJSON: toText(credential.response.clientDataJSON) };
  for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = toText(credential.response[name]);
  }
  if (credential.response.getTransports) response.transports = credential.response.getTransports();
  return {
    id: credential.id,
    rawId: toText(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment,
    clientExtensionResults: credential.getClientExtensionResults(),
    response,
  };
}

function toBytes(text) {
  const padded = text.replaceAll("-", "+").replaceAll("_", "/").padEnd(Math.ceil(text.length / 4) * 4, "=");
  return Uint8Array.from(atob(padded), (character) => character.charCodeAt(0));
}

function toText(buffer) {
  const binary = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
