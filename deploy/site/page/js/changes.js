// What a person is told where a model's page has changed under their hands.

/** Sentences, none where nothing changed that anybody would notice here. */
export function whatChanged(before, after) {
  const isOther = before.version !== after.version;
  const said = [...ofFeatures(before, after), ...ofWording(before, after)];
  if (!isOther && !said.length) return [];
  const first = isOther ? `Version ${after.version} has become live.` : "This page was changed.";
  return [first, ...(said.length ? said : ["It asks for the same values."])];
}

/** Are the fields others than before? */
export function hasOtherFields(before, after) {
  return !isSame(before.features, after.features);
}

/** What is typed already, for the fields as they are now: values stay with their features, new ones have defaults. */
export function carryOver(before, typed, after) {
  const places = new Map(before.features.map(({ name }, place) => [name, place]));
  const values = after.features.map(({ name, default: initial }, place) => [
    `f${place}`,
    places.has(name) ? typed[`f${places.get(name)}`] : initial,
  ]);
  return Object.fromEntries(values);
}

/** What becomes of an answer, in the words of the capture setting. */
export function whatIsKept({ capture }) {
  if (capture === "off") return "Nothing that you ask here is kept in the history.";
  const what = capture === "outputs" ? "results alone, not the values" : "values and results";
  return `Each answer is kept in the history of your team’s portal: ${what}.`;
}

/** What becomes of a file, likewise. */
export function whatIsKeptOfFile({ capture }) {
  const stay = "The file and its result stay in your team’s store.";
  const said = {
    all:
      "The history of your team’s portal shows its name, its counts and its result. " +
      "The file and its result are deleted when the days are over for which your team keeps files.",
    outputs: `The history of your team’s portal shows its counts and its result, not its name. ${stay}`,
    off: `The history of your team’s portal does not show it. ${stay}`,
  };
  return said[capture] ?? said.all;
}

function ofFeatures(before, after) {
  const old = new Map(before.features.map((feature) => [feature.name, feature]));
  const now = new Set(after.features.map(({ name }) => name));
  const others = after.features.filter((one) => old.has(one.name) && !isSame(old.get(one.name), one));
  return [
    named("New", after.features.filter(({ name }) => !old.has(name))),
    named("No longer asked for", before.features.filter(({ name }) => !now.has(name))),
    named("Asked for in another way", others),
  ].filter(Boolean);
}

function ofWording(before, after) {
  const words = ["bands", "class_words", "result_label", "result_unit"];
  return [
    words.some((name) => !isSame(before[name], after[name])) && "Results are worded in another way.",
    before.capture !== after.capture && whatIsKept(after),
  ].filter(Boolean);
}

function named(words, features) {
  return features.length ? `${words}: ${features.map(({ label, name }) => label || name).join(", ")}.` : null;
}

function isSame(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}
