// Elements. All text from outside goes in as text, never as markup.

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

const make = (tag, attributes = {}, ...children) =>
  fill(document.createElement(tag), attributes, children);

const draw = (tag, attributes = {}, ...children) =>
  fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

// What is of no use on paper.
const onScreen = (text) => make("span", { class: "on-screen" }, text);

// A part of the page with a heading, which is not shown while it has nothing to show.
function part(id, title, ...children) {
  const heading = make("h2", {}, title);
  const element = make("section", { id, "aria-label": title }, heading, ...children);
  return { id, title, short: title.split(" ")[0], element };
}
