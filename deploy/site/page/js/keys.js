// Keys of the identity pool for whoever is signed in. They are kept in this module alone.
//
// Source: GetId and GetCredentialsForIdentity of the identity pools API (the enhanced flow)

import { Fault, call } from "./calls.js";
import { config } from "./config.js";
import { Told } from "./errors.js";
import { session } from "./session.js";

// A large upload that begins now is signed now; what takes longer than this to begin asks again.
const RENEW_BEFORE_MS = 300_000;
const NO_KEYS = "The sign-in service gave this page no access to the store. Tell the person who runs this Portico.";

let kept = null;
session.onChange((person) => {
  if (person?.sub !== kept?.sub) kept = null;
});

/** {accessKeyId, secretKey, sessionToken}, renewed where needed. Rejects with SignedOut; Away; Told. */
export function currentKeys() {
  if (kept && session.now > kept.expiresAt - RENEW_BEFORE_MS) kept = null;
  kept ??= begin();
  return kept.keys;
}

/** The next who asks gets new ones. */
export function forgetKeys() {
  kept = null;
}

/** Whoever asks meanwhile waits for the same keys. */
function begin() {
  const mine = { sub: session.person?.sub, expiresAt: Infinity };
  mine.keys = fetchKeys().then(
    ({ expiresAt, ...keys }) => {
      mine.expiresAt = expiresAt;
      return keys;
    },
    (error) => {
      if (kept === mine) kept = null;
      throw error;
    },
  );
  return mine;
}

async function fetchKeys() {
  const token = await session.idToken();
  try {
    return await exchange(token);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    if (error.name !== "NotAuthorizedException") throw new Told(NO_KEYS, { cause: error });
  }
  // The pool no longer knows the token, though its hour is not over: the person was signed out, or it was.
  const renewed = await session.renew();
  return exchange(renewed).catch((error) => {
    throw error instanceof Fault ? new Told(NO_KEYS, { cause: error }) : error;
  });
}

async function exchange(token) {
  const Logins = { [config.issuerName]: token };
  const endpoint = config.endpoints.cognitoIdentity;
  const service = "AWSCognitoIdentityService";
  const { IdentityId } = await call(endpoint, `${service}.GetId`, { IdentityPoolId: config.identityPoolId, Logins });
  const given = await call(endpoint, `${service}.GetCredentialsForIdentity`, { IdentityId, Logins });
  const { AccessKeyId, SecretKey, SessionToken, Expiration } = given.Credentials;
  return {
    accessKeyId: AccessKeyId,
    secretKey: SecretKey,
    sessionToken: SessionToken,
    expiresAt: Expiration * 1000,
  };
}
