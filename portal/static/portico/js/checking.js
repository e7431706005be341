// What was typed → a row for the model, or what is wrong with it: portal/predictions/feature_form.py, word for word.
//
// Fields are named f0, f1, … in the order of the page, since a feature's own name may hold anything.

import { general } from "./numbers.js";

export const LONGEST_NUMBER = 40;
export const LONGEST_TEXT = 2000;

// What Python's str.strip takes away.
const WHITE = "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+";
const AROUND = new RegExp(`^${WHITE}|${WHITE}$`, "g");
// What Python's float takes: digits may have single underscores between them.
const NUMBER = /^[+-]?(\d(_?\d)*\.?(\d(_?\d)*)?|\.\d(_?\d)*)(e[+-]?\d(_?\d)*)?$/i;
const NO_NUMBER = /^[+-]?(inf|infinity|nan)$/i;

class Problem extends Error {}

/** A row, and what is wrong.

    features: as page.json lists them; typed: {f0: "44.5", …}
    Returns {row: {feature name: value, null for missing}, problems: {f0: "sentence", …}}; the row counts where there
    are no problems. */
export function check(features, typed) {
  const row = {};
  const problems = {};
  features.forEach((feature, place) => {
    const name = `f${place}`;
    try {
      row[feature.name] = READERS[feature.kind](feature, typed[name] ?? "");
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      problems[name] = problem.message;
    }
  });
  return { row, problems };
}

/** A row's values as they would be typed, by the fields' names. */
export function typedOf(features, row) {
  return Object.fromEntries(features.map((feature, place) => [`f${place}`, asTyped(feature, row[feature.name])]));
}

/** What the form shows first. */
export function defaultsOf(features) {
  return Object.fromEntries(features.map((feature, place) => [`f${place}`, feature.default ?? ""]));
}

const READERS = { number: readNumber, integer: readNumber, boolean: readYesNo, choice: readChoice, text: readText };

function readNumber(feature, given) {
  const typed = readLine(feature, given, LONGEST_NUMBER);
  if (typed === null) return null;
  const number = toNumber(typed);
  if (!Number.isFinite(number)) throw new Problem("A finite number is needed.");
  if (feature.kind === "integer" && !Number.isInteger(number)) throw new Problem("A whole number is needed.");
  const { minimum, maximum } = feature;
  if (isSet(minimum) && number < minimum) throw new Problem(`The lowest value allowed is ${general(minimum)}.`);
  if (isSet(maximum) && number > maximum) throw new Problem(`The highest value allowed is ${general(maximum)}.`);
  return number;
}

function readText(feature, given) {
  return readLine(feature, given, LONGEST_TEXT);
}

function readYesNo(feature, given) {
  return { yes: true, no: false }[readOneOf(feature, given, ["yes", "no"])] ?? null;
}

function readChoice(feature, given) {
  return readOneOf(feature, given, feature.choices.map(([value]) => String(value)));
}

function readLine(feature, given, longest) {
  const typed = given.replace(AROUND, "");
  if (!typed) return nothing(feature);
  const length = [...typed].length;
  if (length > longest) throw new Problem(`Ensure this value has at most ${longest} characters (it has ${length}).`);
  return typed;
}

function readOneOf(feature, given, choices) {
  if (!given) return nothing(feature);
  if (choices.includes(given)) return given;
  throw new Problem(`Select a valid choice. ${given} is not one of the available choices.`);
}

function nothing(feature) {
  if (feature.required) throw new Problem("This field is required.");
  return null;
}

function toNumber(typed) {
  let plain = typed.replaceAll("\u2212", "-").replace(/[\u00a0 ]/g, "").replace(/\p{Nd}/gu, toAsciiDigit);
  const hasComma = plain.split(",").length === 2 && !plain.includes(".");
  if (hasComma) plain = plain.replace(",", "."); // 1,5 as much of Europe writes it
  if (NO_NUMBER.test(plain)) return NaN;
  if (!NUMBER.test(plain)) throw new Problem(`“${typed}” is not a number.`);
  return Number(plain.replaceAll("_", ""));
}

// Every script's digits stand in runs from 0 to 9.
function toAsciiDigit(digit) {
  let first = digit.codePointAt(0);
  while (/\p{Nd}/u.test(String.fromCodePoint(first - 1))) first -= 1;
  return (digit.codePointAt(0) - first) % 10;
}

function isSet(bound) {
  return bound !== null && bound !== undefined;
}

function asTyped(feature, value) {
  if (value === null || value === undefined) return "";
  if (feature.kind === "boolean") return [true, 1, "1", "true", "True", "yes"].includes(value) ? "yes" : "no";
  return String(value);
}
