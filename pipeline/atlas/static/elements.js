// Document elements; text goes in as text only.
const SVG = "http://www.w3.org/2000/svg";

function element(tag, attributes, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

function drawing(tag, attributes, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name === "onclick") node.addEventListener("click", value);
    else if (value !== null && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== ""));
  return node;
}

function byId(id) {
  return document.getElementById(id);
}

function table(heads, rows, attributes) {
  const head = element("tr", {}, ...heads.map((cell) => element("th", { scope: "col" }, cell)));
  const body = rows.map((cells) => element("tr", {}, ...cells.map((cell) => element("td", {}, cell))));
  return element("table", attributes, element("thead", {}, head), element("tbody", {}, ...body));
}

// A bar of `share` of the length, in a frame of `most`.
function bar(share, most, colour, words) {
  return drawing(
    "svg", { class: "bar", viewBox: "0 0 100 10", preserveAspectRatio: "none", role: "img", "aria-label": words },
    drawing("rect", { x: 0, y: 0, width: most * 100, height: 10, fill: "#dfe3e7" }),
    drawing("rect", { x: 0, y: 0, width: share * 100, height: 10, fill: colour }),
  );
}

function swatch(colour) {
  return drawing(
    "svg", { class: "swatch", viewBox: "0 0 22 14", "aria-hidden": "true" },
    drawing("rect", { x: 0.5, y: 0.5, width: 21, height: 13, fill: colour, stroke: "#555c66" }),
    colour === MISSING_COLOUR ? drawing("path", { d: "M3 1l12 12M9 1l12 12M1 5l8 8M15 1l6 6", stroke: MISSING_HATCH }) : null,
  );
}

function stroke(attributes) {
  return drawing(
    "svg", { class: "swatch", viewBox: "0 0 22 14", "aria-hidden": "true" },
    ...attributes.map((each) => drawing("line", { x1: 0, x2: 22, y1: 7, y2: 7, ...each })),
  );
}
