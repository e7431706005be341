// Elements out of names, attributes and content. Content is text or nodes, never markup: nothing that came from
// somewhere can become an element.

const SVG = "http://www.w3.org/2000/svg";

/** An element. Attributes that are null or false are left out, true ones are empty; content may be nested lists. */
export function element(name, attributes = {}, ...content) {
  return fill(document.createElement(name), attributes, content);
}

/** The same of SVG. */
export function svg(name, attributes = {}, ...content) {
  return fill(document.createElementNS(SVG, name), attributes, content);
}

function fill(made, attributes, content) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...content.flat(Infinity).filter((part) => part !== null && part !== undefined && part !== false));
  return made;
}
