// Numbers as the portal writes them: portal/templatetags/portico.py, digit for digit, with Python's way of rounding.

import { element } from "./drawing.js";

const NARROW_SPACE = "\u202f";
const SIGNIFICANT = 4;

/** A number with four significant digits, the exact one in the title. */
export function figure(value) {
  return titled(exact(value), short(value));
}

/** A whole number, its thousands apart. */
export function count(value) {
  return element("data", { value, title: value }, grouped(value));
}

/** A share of one as percent with one decimal, the exact share in the title. Never rounds to 0 or 100. */
export function percent(share) {
  let shown = `${fixed(100 * share, 1)} %`;
  if (shown === "100.0 %" && share < 1) shown = "> 99.9 %";
  if (shown === "0.0 %" && share > 0) shown = "< 0.1 %";
  return titled(exact(share), shown.replaceAll(" ", NARROW_SPACE));
}

/** Milliseconds in the unit that reads best. */
export function duration(milliseconds) {
  if (milliseconds >= 1000) return `${fixed(milliseconds / 1000, 1)} s`;
  return `${fixed(milliseconds, milliseconds < 100 ? 1 : 0)} ms`;
}

/** A float with all its digits, as Python's `repr`. */
export function exact(value) {
  const [digits, power] = value.toExponential().split("e");
  if (Number(power) < -4 || Number(power) >= 16) return `${digits}e${exponent(power)}`;
  const decimals = digits.replace(/[-.]/g, "").length - 1 - Number(power);
  const plain = Number(power) < 0 ? value.toFixed(decimals) : String(value);
  return plain.includes(".") ? plain : `${plain}.0`;
}

/** With so many decimals, as Python's `.2f`: an exact half goes to the even digit, which `toFixed` does not do. */
export function fixed(value, decimals) {
  const digits = value.toFixed(100);
  const cut = digits.length - 100 + decimals;
  const kept = digits.slice(0, decimals ? cut : cut - 1);
  const isHalf = /^50*$/.test(digits.slice(cut));
  return isHalf && isEven(kept) ? kept : value.toFixed(decimals);
}

/** With so many significant digits, as Python's `g`: no noughts at the end, an exponent far from 1. */
export function general(value, precision = 6) {
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const [digits, power] = scientific(value, precision);
  if (power < -4 || power >= precision) return `${trimmed(digits)}e${exponent(power)}`;
  return trimmed(fixed(Number(`${digits}e${power}`), precision - 1 - power));
}

function short(value) {
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return grouped(value);
  const size = Math.abs(value);
  if (size < 1e-4 || size >= 1e7) return general(value, SIGNIFICANT);
  const rounded = fixed(value, Math.max(0, SIGNIFICANT - 1 - Math.floor(Math.log10(size))));
  const all = exact(value);
  return all.length <= rounded.length ? all : rounded;
}

function grouped(whole) {
  return String(whole).replace(/\B(?=(\d{3})+$)/g, NARROW_SPACE);
}

function scientific(value, precision) {
  const [all] = value.toExponential(Math.min(100, precision + 60)).split("e");
  const [rounded, power] = value.toExponential(precision - 1).split("e");
  const cut = precision + 1 + (value < 0 ? 1 : 0);
  const kept = all.slice(0, cut);
  const isHalf = /^50*$/.test(all.slice(cut));
  return isHalf && isEven(kept) ? [kept, Number(power)] : [rounded, Number(power)];
}

function isEven(digits) {
  return "02468".includes(digits.at(-1));
}

function trimmed(digits) {
  return digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits;
}

function exponent(power) {
  return `${Number(power) < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}

function titled(value, shown) {
  return element("data", { value, title: value }, shown);
}
