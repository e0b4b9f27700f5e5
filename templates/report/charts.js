// Charts of one SLO: time to each alert by error ratio, a full outage on a time line, hours of a week.
const TICKS = [1, 10, 60, 600, 3600, 21600, 86400, 259200, 604800, 2592000];

const rankOf = (severity) => `s${Math.min(Math.max(data.severities.indexOf(severity), 0), 3)}`;
const dash = (tiers, tier) => ["", "7 5", "2 5", "9 4 2 4"][tiers.filter((t) => t.severity === tier.severity).indexOf(tier) % 4];
const scale = (low, high, from, to) => (value) => from + ((Math.log(value) - Math.log(low)) / (Math.log(high) - Math.log(low))) * (to - from);
const picture = (width, height, label, ...children) => s("svg", { class: "chart", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label }, children);
const text = (x, y, words, extra = {}) => s("text", { x, y, ...extra }, words);

function curves(tiers, budget, narrow) {
  const [width, height, left, top, right, bottom] = [narrow ? 340 : 680, 300, 46, 12, 14, 44];
  const drawn = tiers.filter((tier) => tier.curve.length);
  const times = drawn.flatMap((tier) => tier.curve.map((point) => point[1]));
  const low = Math.min(budget.ratio, ...drawn.map((tier) => tier.threshold_ratio));
  const x = scale(low, 1, left, width - right);
  const first = Math.max(Math.min(...times) / 1.6, 0.5);
  const last = Math.max(...times) * 1.6;
  const y = scale(first, last, height - bottom, top);
  const ratios = [1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1].filter((ratio) => ratio >= low * 0.999);
  const grid = [
    ...ratios.map((ratio) => [s("line", { class: "line", x1: x(ratio), x2: x(ratio), y1: top, y2: height - bottom }),
      text(x(ratio), height - bottom + 17, percent(ratio), { "text-anchor": ratio === 1 ? "end" : "middle" })]),
    ...TICKS.filter((tick) => tick >= first && tick <= last).map((tick) => [s("line", { class: "line", x1: left, x2: width - right, y1: y(tick), y2: y(tick) }),
      text(left - 8, y(tick) + 4, span(tick), { "text-anchor": "end" })]),
    text((left + width - right) / 2, height - 6, "share of events that fail", { "text-anchor": "middle" }),
  ];
  const lines = drawn.map((tier) => s("g", { class: rankOf(tier.severity) },
    s("polyline", { class: "curve", "stroke-dasharray": dash(drawn, tier), points: tier.curve.map(([ratio, time]) => `${x(ratio).toFixed(1)},${y(time).toFixed(1)}`).join(" ") }),
    s("circle", { class: "mark", r: 4, cx: x(tier.curve[0][0]), cy: y(tier.curve[0][1]) }, s("title", {}, `${tier.tier} from ${tier.threshold_percent} on`))));
  const words = drawn.map((tier) => `${tier.tier} fires above ${tier.threshold_percent}, at a full outage after ${tier.fires_at_full_outage}`).join("; ");
  return [h("p", { class: "small note sub" }, "Time until each tier fires, by the share of events that fail"), picture(width, height, `Time until each tier fires, by the share of events that fail. ${words}.`, grid, lines), legend(drawn)];
}

function legend(tiers) {
  return h("p", { class: "small facts" }, tiers.map((tier) => h("span", { class: rankOf(tier.severity) },
    s("svg", { width: 26, height: 10, "aria-hidden": "true" }, s("line", { class: "curve", x1: 1, x2: 25, y1: 5, y2: 5, "stroke-dasharray": dash(tiers, tier) })), ` ${tier.tier}`)));
}

// A full outage that begins at the left: when each tier fires, and when the budget is spent.
function timeline(tiers, budget, narrow) {
  const drawn = tiers.filter((tier) => tier.curve.length).map((tier) => [tier, tier.curve.at(-1)[1]]);
  const [width, left, row, top, right] = [narrow ? 340 : 560, 84, 30, 26, 56];
  const height = top + drawn.length * row + 30;
  const marks = drawn.flatMap(([tier, time]) => [time, ...tier.waits.map((wait) => time + wait)]);
  const first = Math.max(Math.min(...marks, budget.seconds) / 2, 0.5);
  const last = Math.max(...marks, budget.seconds) * 1.5;
  const x = scale(first, last, left, width - right);
  const spent = x(budget.seconds);
  const nearEnd = spent > width - right - 90;
  return picture(width, height,
    `A full outage: ${drawn.map(([tier, time]) => `${tier.tier} after ${span(time)}`).join(", ")}; the budget is spent after ${budget.outage}.`,
    TICKS.filter((tick) => tick >= first && tick <= last).map((tick) => [s("line", { class: "line", x1: x(tick), x2: x(tick), y1: top, y2: height - 26 }),
      text(x(tick), height - 10, span(tick), { "text-anchor": "middle" })]),
    s("line", { class: "cut", x1: spent, x2: spent, y1: top - 6, y2: height - 26 }),
    text(spent + (nearEnd ? 4 : -4), 12, `budget spent, ${budget.outage}`, { "text-anchor": nearEnd ? "end" : "middle", class: "ink" }),
    drawn.map(([tier, time], index) => {
      const y = top + index * row + row / 2;
      return s("g", { class: rankOf(tier.severity) },
        text(0, y + 4, cut(tier.tier, 14), { class: "ink" }),
        s("rect", { class: "area", x: x(time), y: y - 8, width: Math.max(width - right - x(time), 2), height: 16, rx: 3 }),
        s("circle", { class: "mark", r: 5, cx: x(time), cy: y }),
        tier.waits.map((wait) => s("circle", { class: "curve", r: 4, cx: x(time + wait), cy: y }, s("title", {}, `escalates after ${span(wait)} more`))),
        text(width - right + 8, y + 4, span(time), { class: "strong" }));
    }));
}

// Seven days of hours in which a route notifies, Sunday first.
function week(hours) {
  const days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
  const x = (minute) => 34 + (minute / 1440) * 300;
  return picture(340, 7 * 15 + 20, `${hours.words}, ${hours.zone}`,
    days.map((day, index) => [text(0, index * 15 + 12, day, { class: "small" }), s("rect", { class: "day", x: 34, y: index * 15 + 2, width: 300, height: 12, rx: 2 })]),
    hours.spans.map(([day, from, to]) => s("rect", { class: "hour", x: x(from), y: day * 15 + 2, width: x(to) - x(from), height: 12, rx: 2 })),
    [0, 6, 12, 18, 24].map((hour) => text(x(hour * 60), 7 * 15 + 15, `${hour}`, { class: "small", "text-anchor": hour === 24 ? "end" : hour ? "middle" : "start" })));
}
