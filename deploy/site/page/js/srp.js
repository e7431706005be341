// Proves to the pool that one knows a password, without sending it.
//
// Source: RFC 5054, section 2.6, in the group of RFC 3526, section 4, with what Cognito makes of it: SHA-256, the pool's
// and the user's name in one, HKDF (RFC 5869) for the key, and numbers hashed as signed bytes.

const N = BigInt(
  "0xFFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD" +
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED" +
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F" +
    "83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B" +
    "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510" +
    "15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7" +
    "ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C" +
    "BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF",
);
const G = 2n;
const SECRET_BYTES = 128;
const KEY_BITS = 128;
const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const utf8 = (text) => new TextEncoder().encode(text);

/** A number of one's own, and what may be shown of it: SRP_A. */
export function begin() {
  const secret = toNumber(crypto.getRandomValues(new Uint8Array(SECRET_BYTES)));
  const shown = power(G, secret);
  return { secret, shown, SRP_A: shown.toString(16) };
}

/** Answers PASSWORD_VERIFIER: its ChallengeResponses, but for the device's.
    Rejects where the pool's numbers are such as only a false pool would send. */
export async function prove({ secret, shown }, asked, { poolId, password, at = new Date() }) {
  const [pool, user] = [poolId.split("_")[1], asked.USER_ID_FOR_SRP];
  const key = await sharedKey({ secret, shown }, asked, utf8(`${pool}${user}:${password}`));
  const block = Uint8Array.from(atob(asked.SECRET_BLOCK), (character) => character.charCodeAt(0));
  const TIMESTAMP = written(at);
  const message = joined(utf8(`${pool}${user}`), block, utf8(TIMESTAMP));
  const signature = new Uint8Array(await crypto.subtle.sign("HMAC", key, message));
  return {
    USERNAME: user,
    PASSWORD_CLAIM_SECRET_BLOCK: asked.SECRET_BLOCK,
    PASSWORD_CLAIM_SIGNATURE: btoa(String.fromCharCode(...signature)),
    TIMESTAMP,
  };
}

/** S of RFC 5054 and the HMAC key that both sides make of it. */
async function sharedKey({ secret, shown }, { SALT, SRP_B }, identity) {
  const theirs = BigInt(`0x${SRP_B}`);
  const u = await hash(bytesOf(shown), bytesOf(theirs));
  if (theirs % N === 0n || u === 0n) throw new Error("SRP_B is no number that a pool chooses");
  const k = await hash(bytesOf(N), bytesOf(G));
  const inner = new Uint8Array(await crypto.subtle.digest("SHA-256", identity));
  const x = await hash(bytesOf(BigInt(`0x${SALT}`)), inner);
  const base = (((theirs - k * power(G, x)) % N) + N) % N;
  const shared = power(base, secret + u * x);
  const material = await crypto.subtle.importKey("raw", bytesOf(shared), "HKDF", false, ["deriveBits"]);
  const derivation = { name: "HKDF", hash: "SHA-256", salt: bytesOf(u), info: utf8("Caldera Derived Key") };
  const bits = await crypto.subtle.deriveBits(derivation, material, KEY_BITS);
  return crypto.subtle.importKey("raw", bits, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
}

/** base ** exponent mod N, by squaring. */
function power(base, exponent) {
  let result = 1n;
  for (let square = base, rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % N;
    square = (square * square) % N;
  }
  return result;
}

async function hash(...parts) {
  return toNumber(new Uint8Array(await crypto.subtle.digest("SHA-256", joined(...parts))));
}

/** Big-endian, with a byte of noughts before a first bit that would be a sign. */
function bytesOf(number) {
  const digits = number.toString(16);
  const even = digits.length % 2 ? `0${digits}` : digits;
  const bytes = Uint8Array.from(even.match(/../g), (pair) => parseInt(pair, 16));
  return bytes[0] > 127 ? joined(Uint8Array.of(0), bytes) : bytes;
}

function toNumber(bytes) {
  return BigInt(`0x${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`);
}

function joined(...parts) {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** As Cognito reads it: "Mon Nov 2 09:05:07 UTC 2026", in English whatever the browser speaks. */
function written(at) {
  const time = at.toISOString().slice(11, 19);
  const [day, month] = [DAYS[at.getUTCDay()], MONTHS[at.getUTCMonth()]];
  return `${day} ${month} ${at.getUTCDate()} ${time} UTC ${at.getUTCFullYear()}`;
}
