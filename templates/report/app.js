// Views by the address's fragment, filters, sorting, theme.
const find = (id) => document.getElementById(id);
const rowsOf = (table) => [...table.tBodies[0].rows];
const rows = rowsOf(document.querySelector(".slos"));

// What a row is searched and filtered by: the table has the SLOs in the order of the data.
const index = data.slos.map((slo) => {
  const owner = data.tenants.find((tenant) => tenant.name === slo.tenant).owner;
  const channels = [...new Set(data.audiences[slo.audience].flatMap((each) => each.notifies.flatMap(([names]) => names)))];
  const labels = Object.entries(slo.labels ?? {}).map((pair) => pair.join("="));
  const words = [nameOf(slo), slo.description ?? "", owner, slo.type, slo.policy, ...channels, ...labels].join(" ").toLowerCase();
  return { words, tenant: [slo.tenant], channel: channels, policy: [slo.policy], type: [slo.type], state: [data.live?.slos[nameOf(slo)]?.state ?? "not recorded"] };
});
const place = new Map(rows.map((row, number) => [row, number]));
rowsOf(document.querySelector(".costs")).forEach((row, number) => place.set(row, number));

function filter() {
  const words = find("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const wanted = [...document.querySelectorAll("#filters select")].filter((select) => select.value);
  let shown = 0;
  for (const row of rows) {
    const facts = index[place.get(row)];
    const fits = words.every((word) => facts.words.includes(word)) && wanted.every((select) => facts[select.dataset.key].includes(select.value));
    row.hidden = !fits;
    shown += fits;
  }
  find("count").textContent = shown === rows.length ? `${shown} SLOs` : `${shown} of ${rows.length} SLOs`;
}

function sortable(head, column) {
  const button = h("button", { type: "button" }, head.textContent);
  head.replaceChildren(button);
  button.addEventListener("click", () => {
    const down = head.getAttribute("aria-sort") === "ascending";
    head.parentElement.querySelectorAll("th").forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const value = (row) => row.cells[column].dataset.sort ?? row.cells[column].textContent;
    const compare = (a, b) => value(a).localeCompare(value(b), "en", { numeric: true }) || place.get(a) - place.get(b);
    const byNumber = (a, b) => Number(value(a) || 0) - Number(value(b) || 0) || place.get(a) - place.get(b);
    const own = head.closest("table");
    const rows = rowsOf(own);
    const chosen = rows.length && rows[0].cells[column].dataset.sort !== undefined ? byNumber : compare;
    rows.sort((a, b) => (down ? chosen(b, a) : chosen(a, b)));
    own.tBodies[0].append(...rows);
  });
}

function view() {
  const path = location.hash.replace(/^#\/?/, "");
  if (path === "main") return;
  const slo = data.slos.find((each) => linkOf(nameOf(each)) === location.hash);
  const name = slo ? "detail" : ["routing", "dependencies", "cost", "findings"].includes(path) ? path : "catalogue";
  for (const id of ["catalogue", "detail", "routing", "dependencies", "cost", "findings"]) find(id).hidden = id !== name;
  for (const item of document.querySelectorAll("nav a")) {
    if (item.dataset.view === (slo ? "catalogue" : name)) item.setAttribute("aria-current", "page");
    else item.removeAttribute("aria-current");
  }
  document.title = slo ? `${nameOf(slo)} – SLO report` : "SLO report";
  if (slo) {
    find("detail").replaceChildren(...detail(slo).flat(4).filter(Boolean));
    window.scrollTo(0, 0);
    find("detail").querySelector("h1").focus({ preventScroll: true });
  }
  if (name === "routing") drawTree();
  if (name === "dependencies") find("graph").replaceChildren(...(graph() ?? [h("p", {}, "No SLO depends on another.")]));
}

const drawTree = () => find("tree").replaceChildren(tree(find("tree-tenant").value));

function themes() {
  const button = find("theme");
  const order = ["system", "light", "dark"];
  let chosen = "system";
  try { chosen = order.find((each) => each === localStorage.getItem("slo-report-theme")) ?? "system"; } catch { /* a file may have no storage */ }
  const apply = () => {
    if (chosen === "system") document.documentElement.removeAttribute("data-theme");
    else document.documentElement.dataset.theme = chosen;
    button.textContent = `Theme: ${chosen}`;
    try { localStorage.setItem("slo-report-theme", chosen); } catch { /* as above */ }
  };
  button.addEventListener("click", () => { chosen = order[(order.indexOf(chosen) + 1) % order.length]; apply(); });
  button.hidden = false;
  apply();
}

themes();
find("filters").hidden = false;
find("tree-form").hidden = false;
find("filters").addEventListener("input", filter);
find("filters").addEventListener("reset", () => setTimeout(filter));
find("filters").addEventListener("submit", (event) => event.preventDefault());
find("tree-tenant").addEventListener("change", drawTree);
for (const name of [".slos", ".costs"]) document.querySelectorAll(`${name} thead th`).forEach(sortable);
document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input, select, textarea");
  if (event.key === "/" && !typing) { event.preventDefault(); location.hash = "#/"; find("catalogue").hidden = false; find("search").focus(); }
  if (event.key === "Escape" && !find("detail").hidden) location.hash = "#/";
});
window.addEventListener("hashchange", view);
filter();
view();
