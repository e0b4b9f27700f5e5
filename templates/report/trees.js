// The routing tree, from left to right, and the graph of dependencies.
const FEW = 12; // tenants, which all have their routes in one picture
const BOX = { width: 250, gap: 46, height: 46, row: 58 };

const above = (number) => (number < 0 ? [] : [...above(data.nodes[number].up), number]);
const childrenOf = (number) => data.nodes.map((_, index) => index).filter((index) => data.nodes[index].up === number);
const matchers = (node) => (node.up < 0 ? "all alerts" : node.match.join(", ") || "any");
const receiverWords = (node) => node.channels.join(", ") || node.receiver;

function routeWords(number) {
  const node = data.nodes[number];
  const hours = node.hours.map((name) => (data.hours[name] ? data.hours[name].words : name));
  return [`${receiverWords(node)}`, ...hours.map((words) => `at ${words}`), node.goes_on ? "goes on" : ""].filter(Boolean).join(" · ");
}

// Draw the tree of one tenant, or of all with each tenant as one box; `leaves` are routes to mark.
function tree(tenant, leaves = [], only = false) {
  const marked = new Set(leaves.flatMap(above));
  const mine = tenant ? data.nodes.findIndex((node) => node.tenant === tenant) : -1;
  const expanded = data.tenants.length <= FEW;
  const spine = new Set(mine < 0 ? [] : above(mine));
  const shown = (number) => {
    if (mine < 0) return data.nodes[number].tenant && !expanded ? [] : childrenOf(number);
    if (spine.has(number) && number !== mine) return childrenOf(number).filter((child) => spine.has(child) || marked.has(child) || (!only && data.nodes[child].up === 0));
    return childrenOf(number).filter((child) => !only || marked.has(child));
  };
  const placed = [];
  let rows = 0;
  const open = (number) => spine.has(number) || mine < 0 || above(number).includes(mine) || marked.has(number);
  const place = (number, depth) => {
    const box = { number, depth };
    placed.push(box); // before those below it: a screen reader reads in this order
    box.below = (open(number) ? shown(number) : []).map((child) => place(child, depth + 1));
    box.y = box.below.length ? box.below[0].y : rows++;
    return box;
  };
  place(0, 0);
  const depth = Math.max(...placed.map((box) => box.depth)) + 1;
  const width = depth * BOX.width + (depth - 1) * BOX.gap + 4;
  const height = rows * BOX.row;
  const left = (box) => 2 + box.depth * (BOX.width + BOX.gap);
  const top = (box) => 4 + box.y * BOX.row;
  const edge = (from, to) => {
    const [x1, y1, x2, y2] = [left(from) + BOX.width, top(from) + BOX.height / 2, left(to), top(to) + BOX.height / 2];
    const on = marked.has(to.number) ? " on" : "";
    return s("path", { class: `edge${on}`, d: `M${x1} ${y1}H${x1 + BOX.gap / 2}V${y2}H${x2}` });
  };
  const boxes = placed.map((box) => {
    const node = data.nodes[box.number];
    const off = marked.size && !marked.has(box.number) ? "off" : "";
    const second = routeWords(box.number);
    return s("g", { class: off },
      s("title", {}, `${matchers(node)}\n${routeWords(box.number)}`),
      s("rect", { class: `box${marked.has(box.number) ? " on" : ""}`, x: left(box), y: top(box), width: BOX.width, height: BOX.height, rx: 6 }),
      text(left(box) + 10, top(box) + 19, cut(matchers(node), 33), { class: "mono ink" }),
      text(left(box) + 10, top(box) + 36, cut(second, 40), { class: "small" }));
  });
  const edges = placed.flatMap((box) => box.below.map((to) => edge(box, to)));
  const svg = s("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": `Routing tree${tenant ? ` of ${tenant}` : ""}, ${placed.length} routes` }, edges, boxes);
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Routing tree" }, svg);
}

// The same as a list, for those who do not see the picture.
function pathList(leaves) {
  return h("ol", { class: "path" }, leaves.map((leaf) => h("li", {}, above(leaf).map((number, index) => [index ? " › " : "", h("code", {}, matchers(data.nodes[number]))]), ` notifies ${routeWords(leaf)}`)));
}

function graph(only = "") {
  const needs = new Map(data.slos.filter((slo) => slo.depends_on).map((slo) => [nameOf(slo), slo.depends_on]));
  let edges = [...needs].flatMap(([from, goals]) => goals.map((to) => [from, to]));
  if (only) edges = edges.filter((edge) => edge.includes(only));
  if (!edges.length) return null;
  const names = [...new Set(edges.flat())].sort();
  const level = new Map();
  const levelOf = (name) => {
    if (!level.has(name)) {
      level.set(name, 0);
      const goals = edges.filter(([from]) => from === name).map(([, to]) => levelOf(to));
      level.set(name, goals.length ? Math.max(...goals) + 1 : 0);
    }
    return level.get(name);
  };
  names.forEach(levelOf);
  const deepest = Math.max(...level.values());
  // What is connected is drawn together, one group below the other.
  const at = new Map();
  let base = 0;
  for (const name of names) {
    if (at.has(name)) continue;
    const group = [name];
    for (const each of group) {
      for (const edge of edges) if (edge.includes(each)) group.push(...edge.filter((other) => !group.includes(other)));
    }
    const rows = new Map();
    for (const each of group.sort()) {
      const column = deepest - level.get(each);
      const row = rows.get(column) ?? 0;
      rows.set(column, row + 1);
      at.set(each, { column, x: 2 + column * 400, y: (base + row) * 72 + 16 });
    }
    base += Math.max(...rows.values());
  }
  const [width, height] = [(deepest + 1) * 400 - 96, base * 72 + 2];
  const curve = (a, b) => {
    const lift = b.column - a.column > 1 ? 44 : 0; // over the boxes between the two
    return `C${a.x + 350} ${a.y + 20 - lift} ${b.x - 50} ${b.y + 20 - lift} ${b.x - 7} ${b.y + 20}m-7-5l7 5-7 5`;
  };
  const svg = s("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "group", "aria-label": `Dependencies of ${names.length} SLOs` },
    edges.map(([from, to]) => s("path", { class: "edge on", d: `M${at.get(from).x + 300} ${at.get(from).y + 20}${curve(at.get(from), at.get(to))}` })),
    names.map((name) => {
      const { x, y } = at.get(name);
      return s("a", { href: linkOf(name) }, s("title", {}, name), s("rect", { class: "box", x, y, width: 300, height: 40, rx: 6 }), text(x + 12, y + 25, cut(name, 42)));
    }));
  const list = h("ul", { class: "path" }, edges.map(([from, to]) => h("li", {}, h("a", { href: linkOf(from) }, from), " depends on ", h("a", { href: linkOf(to) }, to))));
  return [h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Graph of dependencies" }, svg), list];
}
