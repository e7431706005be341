// Signing in at the user pool through its public client, the questions that may follow, a forgotten password, new
// tokens.
//
// Whether somebody has an account is never told: an unknown person and a wrong password get the same words. They are
// the portal's, portal/gateways/cognito/.
// Source: InitiateAuth, RespondToAuthChallenge, ForgotPassword, ConfirmForgotPassword, RevokeToken of the user pools
// API

import { Fault, call } from "./calls.js";
import { config } from "./config.js";
import { Away, SignedOut, Told } from "./errors.js";
import { begin, prove } from "./srp.js";

export const NEW_PASSWORD = "NEW_PASSWORD_REQUIRED";
export const TOTP = "SOFTWARE_TOKEN_MFA";

export const WORDS = {
  NO_MATCH:
    "That address and password do not belong together, or the account is switched off. Passwords are case-sensitive.",
  TEMPORARY_EXPIRED:
    "The password that you were sent is too old. Ask the person who runs this Portico to send you another.",
  RESET_FIRST: "Your password has to be set anew: ask for a code, then choose one.",
  BEGIN_AGAIN: "That took too long. Sign in again from the beginning.",
  UNKNOWN_STEP:
    "Your account asks for a step that this page does not know ({name}). Tell the person who runs this Portico.",
  WRONG_CODE: "This code is wrong or no longer good. Look again, or ask for a new one.",
  WRONG_TOTP: "This code is wrong, or was good a moment ago. Wait for the next one, and try again.",
  USED_BEFORE: "You had this password before. Choose another.",
  TOO_OFTEN: "There were too many attempts. Wait a few minutes, up to a quarter of an hour, and try again.",
  NOT_SENT: "The code could not be sent just now. Try again in a moment.",
  ENDED: "You were signed out: the sign-in service ended your session. Sign in again.",
  FAULT: "The sign-in service refused this page's request. Tell the person who runs this Portico.",
};

// As Cognito says what a password lacks, and as we do.
const LACKS = {
  long: "is too short",
  length: "is too short",
  uppercase: "has no capital letter",
  lowercase: "has no small letter",
  numeric: "has no digit",
  symbol: "has none of the characters that are neither letter nor digit",
  whitespace: "begins or ends with a blank",
};

/** What the person typed was not taken; at which field, if at one. */
export class Refused extends Told {
  constructor(message, field = null) {
    super(message);
    this.field = field;
  }
}

/** The password has to be set anew before anything else. */
export class ResetRequired extends Told {}

/** The question was asked too long ago. */
export class ChallengeOver extends Told {}

/** `{tokens: {idToken, refreshToken}}`, or what is asked first: `{name, session, username}`, name NEW_PASSWORD or TOTP.
    Rejects with Refused: wrong, unknown, switched off; ResetRequired; Away; Told. */
export async function signIn(username, password) {
  const answers = {
    ...all(["UserNotFoundException", "UserNotConfirmedException"], noMatch),
    NotAuthorizedException: notAuthorized,
    PasswordResetRequiredException: () => new ResetRequired(WORDS.RESET_FIRST),
  };
  const ours = begin();
  const parameters = { USERNAME: username, SRP_A: ours.SRP_A };
  const asked = await ask("InitiateAuth", { AuthFlow: "USER_SRP_AUTH", AuthParameters: parameters }, answers);
  if (asked.ChallengeName !== "PASSWORD_VERIFIER") return nextStep(asked, username);
  const given = asked.ChallengeParameters;
  const proof = await prove(ours, given, { poolId: config.userPoolId, password });
  const challenge = { name: asked.ChallengeName, session: asked.Session, username: given.USER_ID_FOR_SRP };
  return respond(challenge, proof, answers);
}

/** A password of the person's own instead of the temporary one. As signIn, and Refused at "password"; ChallengeOver. */
export function choosePassword(challenge, password) {
  const answers = { ...all(["NotAuthorizedException", "ExpiredCodeException"], over), ...PASSWORD_ANSWERS };
  return respond(challenge, { NEW_PASSWORD: password }, answers);
}

/** The six digits of the person's authenticator. As signIn, and Refused at "code"; ChallengeOver. */
export function answerTotp(challenge, code) {
  const wrong = () => new Refused(WORDS.WRONG_TOTP, "code");
  const answers = {
    ...all(["CodeMismatchException", "EnableSoftwareTokenMFAException"], wrong),
    ...all(["NotAuthorizedException", "ExpiredCodeException"], over),
  };
  return respond(challenge, { SOFTWARE_TOKEN_MFA_CODE: code }, answers);
}

/** Has a code sent, if there is somebody of this name who may have one: nobody learns whether there is. */
export async function sendCode(username) {
  const silent = [
    "UserNotFoundException",
    "UserNotConfirmedException",
    "NotAuthorizedException",
    "InvalidParameterException",
  ];
  await ask("ForgotPassword", { Username: username }, all(silent, () => null));
}

/** A new password for the code that was sent. Rejects with Refused at "code" or "password"; Away; Told. */
export async function setPassword(username, { code, password }) {
  const wrong = [
    "CodeMismatchException",
    "ExpiredCodeException",
    "UserNotFoundException",
    "UserNotConfirmedException",
    "NotAuthorizedException",
  ];
  const answers = { ...all(wrong, () => new Refused(WORDS.WRONG_CODE, "code")), ...PASSWORD_ANSWERS };
  const body = { Username: username, ConfirmationCode: code, Password: password };
  await ask("ConfirmForgotPassword", body, answers);
}

/** New tokens. Rejects with SignedOut: the person or the session is no longer welcome; Away; Told. */
export async function renew(refreshToken) {
  // Disabled, deleted, revoked, too old, or used up: Cognito has one code for most of it, and none may go on.
  const gone = [
    "NotAuthorizedException",
    "UserNotFoundException",
    "UserNotConfirmedException",
    "RefreshTokenReuseException",
  ];
  const body = { AuthFlow: "REFRESH_TOKEN_AUTH", AuthParameters: { REFRESH_TOKEN: refreshToken } };
  const said = await ask("InitiateAuth", body, all(gone, () => new SignedOut(WORDS.ENDED)));
  return { refreshToken, ...nextStep(said, "").tokens };
}

/** From now on it is worth nothing; it is no error if it was so already. */
export async function revoke(refreshToken) {
  const over = ["UnauthorizedException", "UnsupportedTokenTypeException", "InvalidParameterException"];
  await ask("RevokeToken", { Token: refreshToken }, all(over, () => null));
}

async function respond(challenge, responses, answers) {
  const said = await ask(
    "RespondToAuthChallenge",
    {
      ChallengeName: challenge.name,
      ...(challenge.session && { Session: challenge.session }),
      ChallengeResponses: { USERNAME: challenge.username, ...responses },
    },
    answers,
  );
  return nextStep(said, challenge.username);
}

function nextStep(said, username) {
  if (said.AuthenticationResult) {
    const { IdToken, RefreshToken } = said.AuthenticationResult;
    return { tokens: { idToken: IdToken, ...(RefreshToken && { refreshToken: RefreshToken }) } };
  }
  const name = said.ChallengeName ?? "";
  if (name !== NEW_PASSWORD && name !== TOTP) throw new Told(WORDS.UNKNOWN_STEP.replace("{name}", name));
  // The pool may know the person by another name than the one that was typed.
  return { name, session: said.Session, username: said.ChallengeParameters?.USER_ID_FOR_SRP ?? username };
}

/** One call. `answers`: for errors that mean something to the person, what they mean; null: nothing. */
async function ask(operation, body, answers) {
  const target = `AWSCognitoIdentityProviderService.${operation}`;
  try {
    return await call(config.endpoints.cognitoIdp, target, { ClientId: config.clientId, ...body });
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const answer = { ...COMMON, ...answers }[error.name];
    if (!answer) throw new Told(WORDS.FAULT, { cause: error });
    const meant = answer(error.message);
    if (meant) throw meant;
    return {};
  }
}

const COMMON = {
  ...all(["TooManyRequestsException", "LimitExceededException", "TooManyFailedAttemptsException"], tooOften),
  CodeDeliveryFailureException: () => new Away(WORDS.NOT_SENT),
};

const PASSWORD_ANSWERS = {
  // Blanks at its ends are against the form of a password, not against the pool's rules for one.
  InvalidParameterException: (said) => (/password/i.test(said) ? badPassword(said) : new Told(WORDS.FAULT)),
  InvalidPasswordException: badPassword,
  PasswordHistoryPolicyViolationException: () => new Refused(WORDS.USED_BEFORE, "password"),
};

function all(names, answer) {
  return Object.fromEntries(names.map((name) => [name, answer]));
}

function noMatch() {
  return new Refused(WORDS.NO_MATCH);
}

function tooOften() {
  return new Refused(WORDS.TOO_OFTEN);
}

/** Cognito has one name for these, and tells them apart by its sentence alone. */
function notAuthorized(said) {
  if (/attempts exceeded/i.test(said)) return tooOften();
  return /temporary password has expired/i.test(said) ? new Refused(WORDS.TEMPORARY_EXPIRED) : noMatch();
}

function over(said) {
  return /attempts exceeded/i.test(said) ? tooOften() : new ChallengeOver(WORDS.BEGIN_AGAIN);
}

function badPassword(said) {
  return new Refused(whatItLacks(said), "password");
}

/** Cognito's complaint about a password, in a sentence of ours. */
export function whatItLacks(said) {
  const signs = Object.keys(LACKS).filter((sign) => said.toLowerCase().includes(sign));
  const lacks = [...new Set(signs.map((sign) => LACKS[sign]))];
  if (!lacks.length) return "The rules for passwords do not allow this one. Choose another.";
  const last = lacks.pop();
  return `Choose another password: it ${[lacks.join(", "), last].filter(Boolean).join(" and ")}.`;
}
