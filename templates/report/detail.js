// All that is known of one SLO.
const card = (title, size, ...children) => h("section", { class: `card ${size}` }, h("h2", {}, title), children);

function detail(slo) {
  const [budget, tiers, audience] = [data.budgets[slo.budget], data.tiers[slo.tiers], data.audiences[slo.audience]];
  const tenant = data.tenants.find((each) => each.name === slo.tenant);
  const narrow = window.matchMedia("(max-width: 700px)").matches;
  return [
    h("p", { class: "crumbs" }, h("a", { href: "#/" }, "← All SLOs"), h("span", { class: "small" }, slo.tenant)),
    h("h1", { tabindex: -1 }, `${slo.service}/${slo.slo}`),
    slo.description && h("p", { class: "lead" }, slo.description),
    facts(slo, tenant),
    h("div", { class: "grid" },
      data.live && live(nameOf(slo)),
      budgetCard(slo, budget),
      tiers.length ? [
        card("How fast it is found", "rest", curves(tiers, budget, narrow), h("p", { class: "small note" }, "From a clean history, at a constant share of failing events. Evaluation adds up to a minute; to windows above 6h, up to four.")),
        card("Tiers", "tiers", tierTable(tiers)),
        h("div", { class: "half stack" },
          card("A full outage", "", timeline(tiers, budget, narrow), h("p", { class: "small note" }, "A dot is when the tier fires, a ring when it escalates.")),
          hoursCard(audience)),
      ] : card("Alerts", "rest", h("p", {}, "None: its ratios and its budget are recorded, and no alert is.")),
      notified(audience, tiers.length ? "half" : ""),
      paths(slo, audience),
      costCard(slo),
      related(slo)),
  ];
}

function facts(slo, tenant) {
  const labels = Object.entries(slo.labels ?? {}).map(([name, value]) => `${name}="${value}"`).join(", ");
  const pairs = [
    ["Type", slo.type], ["Policy", slo.policy], ["Stage", slo.stage], ["By", (slo.by ?? []).join(", ")], ["Budget of", slo.slices],
    ["Owner", tenant.owner], ["Labels", labels && h("code", {}, labels)], ["Runbook", slo.runbook && link(slo.runbook, slo.runbook)],
    ["Dashboard", slo.dashboard && link(slo.dashboard, slo.dashboard)], ["Manifest", h("code", {}, slo.at)], ["Template", slo.template],
    ["Every query selects", tenant.matchers.length && h("code", {}, tenant.matchers.join(", "))],
  ];
  return h("dl", { class: "facts" }, pairs.filter(([, value]) => value).map(([title, value]) => h("div", {}, h("dt", {}, title), h("dd", {}, value))));
}

function budgetCard(slo, budget) {
  return card("Error budget", "third",
    h("p", { class: "sum" }, h("b", {}, `${budget.objective}%`), h("span", {}, `of events are good over ${budget.period}`)),
    h("p", { class: "sum" }, h("b", {}, budget.percent), h("span", {}, `may fail: ${budget.events}`)),
    h("p", { class: "sum" }, h("b", {}, budget.outage), h("span", {}, `of full outage: ${budget.percent} of ${budget.period}`)),
    table(["Share that fails", "Budget lasts"], budget.lasts, [1]));
}

function costCard(slo) {
  const cost = data.costs[slo.cost];
  return cost && card("Cost of evaluation", "half", table(["Rules", "Series", "Samples/s", "CPU", "Of its tenant"], [cost], [0, 1, 2, 3, 4]),
    h("p", { class: "small note" }, "Rules that record and rules that alert, of this SLO alone; the rest with its share of what its tenant’s SLOs have in common. ", h("a", { href: "#/cost" }, "All tenants")));
}

function tierTable(tiers) {
  const guards = tiers.some((tier) => tier.guard || tier.wait);
  return [table(["Tier", "Fires above", "Burn rate", "Windows", "Spends", "Full outage", "At 10×", "Ends", ...(guards ? ["Only if"] : [])],
    tiers.map((tier) => [
      h("span", { class: rankOf(tier.severity) }, h("span", { class: "dot" }), tier.tier), tier.threshold_percent, `${tier.burn_rate}×`, `${tier.long_window}, ${tier.short_window}`,
      tier.budget_share, tier.fires_at_full_outage, tier.fires_at_ten_times || "–", tier.ends,
      ...(guards ? [[tier.guard, tier.wait && `for ${tier.wait}`].filter(Boolean).join(", ") || "–"] : []),
    ]), [1, 2, 4, 5, 6, 7]),
    h("p", { class: "small note" }, "“Spends” is the share of the budget that is gone when it fires; “Full outage” and “At 10×” are the times until it fires if all events fail, and at ten times its threshold; it ends after an outage in the time of “Ends”.")];
}

const alertWords = (each) => (each.wait ? `${each.tier} after ${each.wait}` : each.tier);

function notified(audience, size) {
  const rows = new Map();
  for (const each of audience) {
    for (const [channels, hours] of each.notifies) {
      const key = JSON.stringify([channels, hours]);
      rows.set(key, [...(rows.get(key) ?? []), alertWords(each)]);
    }
  }
  const list = [...rows].map(([key, alerts]) => {
    const [channels, hours] = JSON.parse(key);
    const days = data.hours[hours]?.holidays ?? [];
    return [channels.join(", ") || "no channel", alerts.join(", "), hoursWords(hours) + (days.length ? `, but ${days.length} holiday${days.length === 1 ? "" : "s"}` : "")];
  });
  return card("Who is notified", `who ${size}`,
    list.length ? table(["Channels", "Alerts", "When"], list) : h("p", {}, "Alerts of this SLO notify no channel."));
}

const hoursWords = (name) => (data.hours[name] ? `${data.hours[name].words}, ${data.hours[name].zone}` : name || "always");

function hoursCard(audience) {
  const used = [...new Set(audience.flatMap((each) => each.notifies.map(([, hours]) => hours)))].filter((name) => data.hours[name]);
  if (!used.length) return null;
  return card("Hours", "", used.map((name) => [h("p", { class: "small note sub" }, hoursWords(name)), h("div", { class: "week" }, week(data.hours[name])),
    data.hours[name].holidays.length ? h("p", { class: "small note" }, `Not on ${data.hours[name].holidays.join(", ")}`) : null]));
}

function paths(slo, audience) {
  if (!audience.length) return null;
  const place = h("div", {});
  const buttons = audience.map((each) => {
    const button = h("button", { type: "button", "aria-pressed": "false" }, alertWords(each));
    button.addEventListener("click", () => show(each, button));
    return button;
  });
  const show = (each, chosen) => {
    buttons.forEach((button) => button.setAttribute("aria-pressed", String(button === chosen)));
    place.replaceChildren(tree(slo.tenant, each.routes, true), pathList(each.routes),
      each.waits_for.length ? h("p", { class: "small note" }, `Does not notify while one of these fires: ${each.waits_for.join(", ")}.`) : "");
  };
  show(audience[0], buttons[0]);
  return card("Path of an alert through the routing tree", "", h("div", { class: "buttons", role: "group", "aria-label": "Alert" }, buttons), place);
}

function related(slo) {
  const drawn = graph(nameOf(slo));
  return [
    drawn && card("Dependencies", "", drawn),
    slo.parts && card("Made of", "half", table(["SLO", "Weight"], slo.parts.map(([name, weight]) => [h("a", { href: linkOf(`${slo.tenant}/${name}`) }, name), weight]), [1])),
    slo.exclusions && card("Nothing is counted", "half", table(["Exclusion", "When", "Longer by", "Declared by"], slo.exclusions)),
    slo.formerly && card("Formerly", "half", h("p", {}, slo.formerly.slo, slo.formerly.removable ? `; “formerly” can be removed from ${slo.formerly.removable} on` : "")),
  ];
}

function live(name) {
  const state = data.live.slos[name];
  const rows = state ? Object.entries(state.rates).map(([window, rate]) => [window, `${rate.toPrecision(3)}×`]) : [];
  return card(`State of ${data.live.as_of}`, "state-now", !state ? h("p", {}, "Nothing is recorded of this SLO: are its rules loaded?") : [
    h("p", { class: "sum" }, h("b", { class: `state ${state.state}` }, state.words), h("span", {}, `budget left ${state.percent}`), h("span", {}, `failing now ${state.now}, in the period ${state.period}`)),
    rows.length ? table(["Window", "Burn rate"], rows, [1]) : null,
  ]);
}
