// Elements and text are made here, never parsed: what a manifest says cannot become markup.
const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(4).filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}
const h = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
const s = (tag, attributes = {}, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

// Links of manifests lead to the web only.
function link(url, words) {
  return /^https?:\/\//i.test(url) ? h("a", { href: url, rel: "noopener noreferrer" }, words) : words;
}

const nameOf = (slo) => `${slo.tenant}/${slo.service}/${slo.slo}`;
const linkOf = (name) => `#/slo/${name.split("/").map(encodeURIComponent).join("/")}`;
const cut = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

function span(seconds) {
  const parts = [];
  let rest = Math.round(seconds);
  for (const [size, unit] of [[86400, "d"], [3600, "h"], [60, "m"], [1, "s"]]) {
    const number = Math.floor(rest / size);
    rest -= number * size;
    if (number) parts.push(`${number}${unit}`);
  }
  return parts.slice(0, 2).join("") || "0s";
}

const percent = (ratio) => `${Number((ratio * 100).toPrecision(3))}%`;

function table(head, rows, numbers = []) {
  const cell = (tag, text, column, extra = {}) => h(tag, { class: numbers.includes(column) ? "n" : null, ...extra }, text);
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": `Table: ${head.join(", ")}` },
    h("table", {},
      h("thead", {}, h("tr", {}, head.map((text, column) => cell("th", text, column, { scope: "col" })))),
      h("tbody", {}, rows.map((row) => h("tr", {}, row.map((text, column) => cell("td", text, column)))))));
}
