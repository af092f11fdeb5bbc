"use strict";
// The page at "/": events go to /v1/detect as they are, and what is flagged is laid out. Everything
// that comes from events or answers becomes text nodes; no markup is ever made of it.

const at = (id) => document.getElementById(id);
const form = at("form");
const text = at("text");
const PASTED_BYTES = 1_000_000; // a larger file is not shown, only sent
const NOTABLE = 5; // as in driftlock.reasons: bits of evidence from which a field is a reason
const MOST_TOLD = 3;
const EXAMPLE = { baseline: 200, window: 1, hop: "", algo: "fields", alpha: 0.05, control: "fdr" };

let held = null; // a file that is sent as it is: { file, encoding }
let running = null; // AbortController of the request under way

// ------------------------------------------------------------------ small tools
function make(tag, options = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(options)) {
    if (value === null || value === undefined) continue;
    if (name.startsWith("--")) node.style.setProperty(name, value);
    else if (name in node && !name.startsWith("aria")) node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

class Written extends Number { // a number that JavaScript would write otherwise than it was sent
  constructor(value, source) {
    super(value);
    this.source = source;
  }

  toString() {
    return this.source;
  }
}

function parse(json) {
  return JSON.parse(json, (_, value, context) => {
    const source = typeof value === "number" ? context?.source : null;
    return !source || source === String(value) ? value : new Written(value, source);
  });
}

const whole = (number) => Number(number).toLocaleString("en");
const counted = (number, noun) => `${whole(number)} ${noun}${Number(number) === 1 ? "" : "s"}`;
const tenth = (number) => Number(number).toFixed(1);

const rounded = (number, digits) => String(Number(Number(number).toPrecision(digits)));
const probability = (number) => (
  number >= 0.001 ? rounded(number, 2) : Number(number).toExponential(1)
);
const signed = (number) => `${number > 0 ? "+" : ""}${rounded(number, 3)}`.replace("-", "−");

function size(bytes) {
  if (bytes < 1000) return counted(bytes, "byte");
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function shorter(value) {
  const line = value !== null && typeof value === "object" && !(value instanceof Number)
    ? JSON.stringify(value) : String(value);
  return line.length > 400 ? `${line.slice(0, 400)}…` : line;
}

// ------------------------------------------------------------------ what is judged
function say(message) {
  at("status").textContent = message;
}

function hold(file, encoding) {
  held = file && { file, encoding };
  at("held").hidden = !held;
  text.hidden = Boolean(held);
  if (!held) return;
  at("held-name").textContent = file.name;
  const about = [size(file.size), encoding, "sent as it is"];
  at("held-size").textContent = about.filter(Boolean).join(", ");
}

async function take(file) {
  const start = new Uint8Array(await file.slice(0, 4).arrayBuffer());
  const begins = (...bytes) => bytes.every((byte, i) => start[i] === byte);
  const encoding = begins(0x1f, 0x8b) ? "gzip" : begins(0x28, 0xb5, 0x2f, 0xfd) ? "zstd" : null;
  let readable = null;
  if (!encoding && file.size <= PASTED_BYTES) {
    try {
      readable = new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
    } catch { // no UTF-8: the service says what is wrong with it
    }
  }
  hold(readable === null ? file : null, encoding);
  text.value = readable ?? "";
  at("format").value = /\.(log|txt)(\.|$)/i.test(file.name) ? "lines" : "auto";
  count();
  say(`${file.name} is ready`);
}

const filled = (events) => events.split("\n").filter((line) => line.trim()).length;

function count() {
  const lines = held ? 0 : filled(text.value);
  at("count").textContent = lines ? counted(lines, "line") : "";
}

function formOf(events) { // the service tells JSON lines from an array; logs are told here
  const chosen = at("format").value;
  const begun = events.trimStart();
  if (chosen !== "auto" || held || /^(\{|\[\s*\{)/.test(begun)) return chosen;
  return begun.startsWith("[") && events.trimEnd().endsWith("]") ? "auto" : "lines";
}

function query(format) {
  const chosen = new URLSearchParams({ format });
  for (const input of form.querySelectorAll("[name]")) {
    const { name, value, disabled } = input;
    if (!disabled && name !== "format" && value) chosen.set(name, value);
  }
  return chosen;
}

function settle() { // a kept baseline has its own settings, and single rows have no hop
  const kept = at("kept").value !== "";
  for (const id of ["baseline", "window", "algo", "control", "alpha"]) at(id).disabled = kept;
  at("hop").disabled = kept || at("window").value === "1";
}

// ------------------------------------------------------------------ asking the service
class Refused extends Error {
  constructor(message, code, where = null, requestId = null) {
    super(message);
    Object.assign(this, { code, where, requestId });
  }
}

function headers(more = {}) {
  const key = at("key").value.trim();
  if (/[^\x20-\x7e]/.test(key)) {
    throw new Refused("the API key holds characters that a header cannot carry", "invalid_key");
  }
  return key ? { ...more, "X-API-Key": key } : more;
}

async function ask(path, options = {}) {
  let answer;
  let body;
  try {
    answer = await fetch(path, { cache: "no-store", ...options });
    body = await answer.text();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    const message = "The service cannot be reached, or it closed the connection: perhaps it has "
      + "stopped, or the events are more than it takes.";
    throw new Refused(message, "unreachable");
  }
  let told;
  try {
    told = parse(body);
  } catch {
    throw new Refused(`The answer is none of this service: status ${answer.status}.`, "no_json");
  }
  if (answer.ok) return { told, body };
  const { code, message, where } = told.error ?? { code: "refused", message: answer.statusText };
  const wait = answer.headers.get("Retry-After");
  const again = wait && !/try again/.test(message) ? `; try again in ${wait} s` : "";
  throw new Refused(message + again, code, where, told.request_id);
}

async function run() {
  if (running || !form.reportValidity()) return;
  const events = text.value;
  form.querySelectorAll("[aria-invalid]").forEach((one) => one.removeAttribute("aria-invalid"));
  if (!held && !events.trim()) {
    fail(new Refused("Paste some events, choose a file, or try the example.", "no_events"));
    text.focus();
    return;
  }
  const stop = busy();
  try {
    const format = formOf(events);
    const kinds = { "Content-Type": format === "lines" ? "text/plain" : "application/x-ndjson" };
    if (held?.encoding) kinds["Content-Encoding"] = held.encoding;
    const { told, body } = await ask(`v1/detect?${query(format)}`, {
      method: "POST", headers: headers(kinds), body: held?.file ?? events, signal: running.signal,
    });
    stop();
    show(told, body, format);
  } catch (error) {
    stop();
    if (error.name === "AbortError") say("Cancelled.");
    else fail(error, held ? null : events);
  }
}

function busy() {
  running = new AbortController();
  const began = performance.now();
  const tick = () => {
    at("clock").textContent = `${((performance.now() - began) / 1000).toFixed(0)} s`;
  };
  const lock = (on) => {
    document.body.classList.toggle("busy", on);
    at("run").disabled = at("example").disabled = on;
    at("cancel").hidden = !on;
    at("result").setAttribute("aria-busy", on);
  };
  lock(true);
  tick();
  say(`Judging ${held?.file.name ?? counted(filled(text.value), "line")} …`);
  const timer = setInterval(tick, 250);
  return () => {
    clearInterval(timer);
    running = null;
    at("clock").textContent = "";
    lock(false);
  };
}

async function listKept() {
  let kept = [];
  try {
    kept = (await ask("v1/baselines", { headers: headers() })).told.baselines;
  } catch (error) {
    if (error.code === "unauthorized") {
      at("key-box").open = true;
      say("This service asks for an API key.");
    }
  }
  const chosen = at("kept").value;
  at("kept").replaceChildren(at("kept").options[0], ...kept.map((one) => make("option", {
    value: one.name, textContent: `${one.name}: ${one.algo}, ${counted(one.rows, "row")}`,
  })));
  at("kept").value = kept.some((one) => one.name === chosen) ? chosen : "";
  settle();
}

// ------------------------------------------------------------------ what went wrong
function fail(error, events = null) {
  const about = Object.entries(error.where ?? {}).map(([name, value]) => ` · ${name} ${value}`);
  if (error.requestId) about.push(` · request ${error.requestId}`);
  const box = make("div", { className: "card failure", role: "alert" },
    make("h2", { textContent: "That did not work" }),
    make("p", { textContent: error.message }),
    make("p", { className: "hint" }, make("code", { textContent: error.code ?? "page_error" }),
      about.join("")));
  at("result").replaceChildren(box);
  say("");
  const input = form.elements.namedItem(error.where?.parameter ?? "");
  if (input) {
    input.setAttribute("aria-invalid", "true");
    input.focus();
  } else if (error.code === "unauthorized") {
    at("key-box").open = true;
    at("key").focus();
  } else if (events !== null) {
    select(lineOf(error.where ?? {}, events), events);
  }
  box.scrollIntoView({ block: "nearest" });
}

function lineOf(where, events) { // lines count from 1, events from 0 where each is a line
  if (Number.isInteger(where.line)) return where.line;
  if (!Number.isInteger(where.event) || events.trimStart().startsWith("[")) return null;
  const numbers = events.split("\n").flatMap((line, i) => (line.trim() ? [i + 1] : []));
  return numbers[where.event] ?? null;
}

function select(line, events) {
  const lines = events.split("\n");
  if (line === null || line < 1 || line > lines.length) return;
  const start = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
  text.setAttribute("aria-invalid", "true");
  text.focus();
  text.setSelectionRange(start, start + lines[line - 1].length);
  const height = parseFloat(getComputedStyle(text).lineHeight);
  text.scrollTop = Math.max(0, (line - 1) * height - text.clientHeight / 2);
  text.scrollLeft = 0;
}

// ------------------------------------------------------------------ what was found
function show(told, body, format) {
  const ofWindows = "n_windows" in told.plan;
  const tested = ofWindows ? told.plan.n_windows : told.plan.n_tested;
  const noun = ofWindows ? "window" : "row";
  const flags = Number(told.anomaly_count);
  const headline = flags ? `${whole(flags)} of ${counted(tested, noun)} flagged`
    : `Nothing flagged among ${counted(tested, noun)}`;
  const title = make("h2", { textContent: headline, tabIndex: -1 });
  const parts = [make("div", { className: "card summary" },
    make("div", { className: "top" }, title, make("button", {
      type: "button", id: "download", textContent: "Download JSON", onclick: () => download(body),
    })),
    facts(told, format),
    plan(told, flags),
    ...told.warnings.map((warning) => make("p", { className: "notice", textContent: warning })))];
  if (flags) parts.push(make("div", { className: "card flags" }, table(told, ofWindows)));
  at("result").replaceChildren(...parts);
  say(headline);
  title.focus({ preventScroll: true });
  at("result").scrollIntoView({ block: "start" });
}

function facts(told, format) {
  const controls = { fdr: "false discoveries", by: "false discoveries", storey: "false discoveries",
    fwer: "any false flag", fpr: "each row" };
  const by = told.fallback_from_algo
    ? `${told.compression_algo}, for ${told.fallback_from_algo}` : told.compression_algo;
  const pairs = [
    [format === "lines" ? "Log lines" : "Events", whole(told.total_events)],
    ["Baseline", told.plan.n_baseline === undefined ? null : counted(told.plan.n_baseline, "row")],
    ["Null", told.plan.null],
    ["Measured by", by],
    [`Level, ${controls[told.plan.control]}`, `${rounded(told.plan.alpha * 100, 3)} %`],
    ["Time", `${Number(told.processing_time).toFixed(2)} s`],
    ["Not listed", told.anomalies_left_out > 0 ? whole(told.anomalies_left_out) : null],
  ];
  return make("dl", { className: "facts" }, ...pairs.flatMap(([name, value]) => (value == null ? []
    : [make("div", {}, make("dt", { textContent: name }), make("dd", { textContent: value }))])));
}

function plan(told, flags) {
  const lines = String(told.plan.text).split("\n").map((line) => line.trim());
  return make("details", { className: "plan", open: flags === 0 },
    make("summary", { textContent: lines[0].replace(/^\w*Plan: /, "The plan: ") }),
    make("p", { textContent: lines.slice(1).join("\n") }));
}

function download(body) {
  const url = URL.createObjectURL(new Blob([body], { type: "application/json" }));
  make("a", { href: url, download: "driftlock.json" }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

// ------------------------------------------------------------------ the table of flags
const ROW_COLUMNS = [["score", "Score", tenth], ["bits", "Bits", tenth]];
const WINDOW_COLUMNS = [
  ["ncd", "NCD", (number) => Number(number).toFixed(3)], ["entropy_change", "Entropy", signed],
  ["compression_ratio_change", "Ratio, %", signed], ["bits", "Mean bits", tenth],
  ["top_bits", "Top bits", tenth],
];

function table(told, ofWindows) {
  const anomalies = told.anomalies;
  const columns = [["p_value", "p", probability], ["q_value", "q", probability],
    ...(ofWindows ? WINDOW_COLUMNS : ROW_COLUMNS)]
    .filter(([name]) => anomalies.some((one) => one.metrics[name] !== null));
  const highest = Math.max(...anomalies.map((one) => Number(one.metrics.score ?? 0)), 1e-9);
  const rows = document.createDocumentFragment();
  anomalies.forEach((one, i) => rows.append(flag(one, i, columns, highest)));
  const titles = [[ofWindows ? "Rows" : "Row", ""],
    ...columns.map(([, title]) => [title, "number"]), ["Why", ""]];
  const head = titles.map(([title, kind]) => make("th", {
    scope: "col", role: "columnheader", textContent: title, className: kind,
  }));
  const body = make("tbody", { role: "rowgroup", onclick: (event) => {
    const row = event.target.closest(".flag");
    if (row && !String(getSelection())) toggle(row, anomalies);
  } }, rows);
  body.addEventListener("keydown", step);
  // roles are spelt out: on narrow screens the table is no table for the style sheet
  return make("table", { role: "table", "aria-label": "Flagged, strangest first" },
    make("thead", { role: "rowgroup" }, make("tr", { role: "row" }, ...head)), body);
}

function flag(one, place, columns, highest) {
  const label = one.window ? `${one.window.first}–${one.window.last}` : String(one.index);
  const cells = columns.map(([name, title, written]) => {
    const value = one.metrics[name];
    const bar = name !== "score" ? null
      : make("div", { className: "bar hot", "--share": value / highest });
    return make("td", {
      role: "cell", className: "number", "data-name": title, title: String(value ?? ""),
    }, value === null ? "–" : written(value), bar);
  });
  return make("tr", { role: "row", className: "flag", "data-place": place },
    make("td", { role: "cell" }, make("button", {
      type: "button", className: "toggle", textContent: label, "aria-expanded": "false",
      "aria-label": `${one.window ? "rows" : "row"} ${label}, details`,
    })),
    ...cells,
    make("td", { role: "cell" }, make("span", { className: "why", textContent: one.why })));
}

function toggle(row, anomalies) {
  const open = row.classList.toggle("open");
  row.querySelector(".toggle").setAttribute("aria-expanded", open);
  if (!open) row.nextElementSibling.remove();
  else {
    const cell = make("td", { role: "cell", colSpan: row.cells.length });
    cell.append(detail(anomalies[row.dataset.place]));
    row.after(make("tr", { role: "row", className: "more" }, cell));
  }
}

function step(event) { // up and down go from flag to flag
  const way = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!way || !event.target.matches(".toggle")) return;
  const all = [...event.currentTarget.querySelectorAll(".toggle")];
  all[all.indexOf(event.target) + way]?.focus();
  event.preventDefault();
}

// ------------------------------------------------------------------ one flag in full
function detail(one) {
  const reasons = reasonsOf(one);
  const parts = [make("p", { className: "whole hint", textContent: one.metrics.p_kind
    ? `p-value by ${one.metrics.p_kind}` : counted(one.metrics.permutations, "permutation") })];
  if (one.event) {
    const pre = make("pre", { className: "event", tabIndex: 0, "aria-label": "The event as JSON" });
    write(pre, one.event, "", new Set(reasons), "");
    if (!pre.querySelector("mark")) pre.replaceChildren(make("mark", {}, ...pre.childNodes));
    parts.push(make("div", {}, make("h3", { textContent: "Event" }), pre));
  }
  parts.push(make("div", { className: one.event ? "" : "only" },
    make("h3", { textContent: "Fields" }), fieldTable(one, reasons)));
  return make("div", { className: "detail" }, ...parts);
}

function reasonsOf({ event, fields }) { // the fields that `why` names
  if (!event || !fields.length) return fields.slice(0, 1).map((one) => one.field);
  const least = Math.max(NOTABLE, fields[0].evidence / 4);
  const strong = fields.filter((one) => one.evidence >= least).length;
  return fields.slice(0, Math.min(Math.max(strong, 1), MOST_TOLD)).map((one) => one.field);
}

function write(into, value, path, marked, indent) { // JSON, marked fields in elements of their own
  if (value === null || typeof value !== "object" || value instanceof Number) {
    into.append(typeof value === "string" ? JSON.stringify(value) : String(value));
    return;
  }
  const entries = Object.entries(value);
  const [left, right] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  into.append(left);
  entries.forEach(([key, item], i) => {
    const inner = path ? `${path}.${key}` : key;
    into.append(`${i ? "," : ""}\n${indent}  `);
    const entry = make(marked.has(inner) ? "mark" : "span");
    if (left === "{") {
      entry.append(make("span", { className: "name", textContent: JSON.stringify(key) }), ": ");
    }
    write(entry, item, inner, marked, `${indent}  `);
    into.append(entry);
  });
  into.append(entries.length ? `\n${indent}${right}` : right);
}

function fieldTable(one, reasons) {
  const most = (...names) => Math.max(1e-9,
    ...one.fields.flatMap((field) => names.map((name) => Number(field[name] ?? 0))));
  const share = (number, highest) => Math.min(Math.max(number / highest, 0), 1);
  const bits = most("bits", "expected_bits");
  const evidence = most("evidence");
  const columns = [
    ["Value", "value", (field) => [field.value === null ? "missing" : shorter(field.value)]],
    ["Usual", "usual", (field) => [field.usual ?? ""]],
    ["Bits", "number", (field) => [tenth(field.bits), make("div", {
      className: "bar with", "--share": share(field.bits, bits),
      "--tick": share(field.expected_bits, bits),
    })]],
    ["Expected", "number", (field) => [tenth(field.expected_bits)]],
    [one.event ? "Evidence" : "Evidence, sd", "number", (field) => [tenth(field.evidence),
      make("div", { className: "bar hot", "--share": share(field.evidence, evidence) })]],
  ].filter(([title]) => one.event || title.startsWith("Evidence"));
  const head = [["Field", ""], ...columns].map(([title, kind]) => make("th", {
    scope: "col", role: "columnheader", textContent: title,
    className: kind === "number" ? kind : "",
  }));
  const rows = one.fields.map((field) => make("tr",
    { role: "row", className: reasons.includes(field.field) ? "told" : "" },
    make("th", { scope: "row", role: "rowheader", textContent: field.field }),
    ...columns.map(([title, kind, cells]) => make("td",
      { role: "cell", className: kind, "data-name": title }, ...cells(field)))));
  return make("div", { className: "scroll", tabIndex: 0, role: "group", "aria-label": "Fields" },
    make("table", { role: "table" },
      make("thead", { role: "rowgroup" }, make("tr", { role: "row" }, ...head)),
      make("tbody", { role: "rowgroup" }, ...rows)));
}

// ------------------------------------------------------------------ hands on the page
form.addEventListener("submit", (event) => {
  event.preventDefault();
  run();
});
form.addEventListener("input", settle);
form.addEventListener("change", settle);
text.addEventListener("input", count);
at("cancel").addEventListener("click", () => running?.abort());
at("key").addEventListener("change", listKept);
at("let-go").addEventListener("click", () => {
  hold(null);
  text.focus();
});
at("file").addEventListener("change", async (event) => {
  const [file] = event.target.files;
  if (file) await take(file);
  event.target.value = ""; // so that the same one can be chosen again
});
at("example").addEventListener("click", async () => {
  try {
    const answer = await fetch("page/example.jsonl");
    hold(null);
    text.value = await answer.text();
  } catch {
    fail(new Refused("The example cannot be fetched: no service there.", "unreachable"));
    return;
  }
  at("kept").value = "";
  at("format").value = "auto";
  for (const [id, value] of Object.entries(EXAMPLE)) at(id).value = value;
  settle();
  count();
  run();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    run();
  } else if (event.key === "Escape") running?.abort();
});
const carries = (event) => event.dataTransfer?.types.includes("Files");
document.addEventListener("dragover", (event) => {
  if (!carries(event)) return;
  event.preventDefault();
  document.body.classList.add("dropping");
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) document.body.classList.remove("dropping");
});
document.addEventListener("drop", (event) => {
  document.body.classList.remove("dropping");
  if (!carries(event)) return;
  event.preventDefault();
  take(event.dataTransfer.files[0]);
});
settle();
count();
listKept();
