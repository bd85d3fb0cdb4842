// The dashboard: nodes, invoices and what happens, with one API key.

import { satoshis } from "/amounts.js";
import { Stream } from "/leyden.js";

const storedKey = "leyden.key";
const longestLog = 200;
const element = (id) => document.getElementById(id);
let live = null;
let pending = 0;

async function api(path, options = {}) {
  const headers = { Authorization: `Bearer ${sessionStorage.getItem(storedKey)}`, Accept: "application/json", ...options.headers };
  const response = await fetch(path, { ...options, headers, cache: "no-store" });
  const body = await response.json().catch(() => ({}));
  if (response.ok) return body;
  throw Object.assign(new Error([body.title, body.field, body.detail].filter(Boolean).join(": ") || `HTTP ${response.status}`), { status: response.status });
}

/** A cell or a chip; what comes from outside only ever becomes text. */
function make(name, text, attributes = {}) {
  const made = document.createElement(name);
  made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function row(...cells) {
  const made = document.createElement("tr");
  for (const cell of cells) {
    if (cell.tagName === "TD") made.append(cell);
    else {
      const around = document.createElement("td");
      around.append(cell);
      made.append(around);
    }
  }
  return made;
}

const time = (text) => new Date(text).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const amount = (msat) => (msat === null || msat === undefined ? "any" : satoshis(msat));

function place(body, rows, columns, empty) {
  const none = make("td", empty, { colspan: columns, class: "hint" });
  element(body).replaceChildren(...(rows.length > 0 ? rows : [row(none)]));
}

async function showNodes() {
  try {
    const { nodes = [] } = await api("/v1/nodes");
    place("nodes", nodes.map((node) => row(
      make("td", node.name ?? ""), make("span", node.state, { class: "chip", "data-state": node.state, title: node.reason ?? "" }),
      make("td", node.height ?? node.block_height ?? "–"), make("td", `${(node.pubkey ?? "").slice(0, 12)}…`, { class: "mono", title: node.pubkey ?? "" }),
    )), 4, "No nodes are configured.");
  } catch (error) {
    place("nodes", [], 4, error.status === 403 ? "This key may not see nodes." : error.message);
  }
}

async function showInvoices() {
  try {
    const { invoices } = await api("/v1/invoices?limit=25");
    place("invoices", invoices.map((invoice) => row(
      make("td", time(invoice.created_at)), make("span", invoice.state.replace("_", " "), { class: "chip", "data-state": invoice.state }),
      make("td", amount(invoice.amount_msat), { class: "number" }), make("td", satoshis(invoice.received_msat), { class: "number" }),
      make("td", invoice.description ?? "", { class: "text" }), make("a", "checkout", { href: `/checkout/${encodeURIComponent(invoice.watch_token)}` }),
    )), 6, "No invoices yet.");
  } catch (error) {
    place("invoices", [], 6, error.status === 403 ? "This key may not see invoices." : error.message);
  }
}

/** Many events of one moment ask once. */
function refreshSoon() {
  if (pending) return;
  pending = setTimeout(() => { pending = 0; showInvoices(); showNodes(); }, 250);
}

function tell(event) {
  element("head").textContent = event.offset;
  const log = element("events");
  if (log.firstElementChild?.classList.contains("hint")) log.replaceChildren();
  const subject = event.data.payment_hash ?? event.data.node_name ?? event.data.node ?? "";
  const line = document.createElement("li");
  line.append(make("span", `#${event.offset}`, { class: "mono" }), make("strong", event.type), make("span", time(event.time), { class: "mono" }));
  line.append(make("span", ""), make("span", subject, { class: "mono" }), make("span", event.data.amount_msat === undefined ? "" : `${satoshis(event.data.amount_msat)} sat`));
  log.prepend(line);
  while (log.childElementCount > longestLog) log.lastElementChild.remove();
  refreshSoon();
}

function status(state) {
  const words = { connected: "live", connecting: "connecting", lost: "connection lost, coming back", refused: "refused" };
  element("connection").dataset.status = state;
  element("connection").textContent = words[state] ?? state;
}

async function enter() {
  try {
    const info = await api("/v1/info");
    if (info.head !== undefined) element("head").textContent = info.head;
  } catch (error) {
    // Without this scope the rest may still be allowed; without a valid key nothing is.
    if (error.status === 401) return leave("This key is not valid.");
  }
  element("door").hidden = true;
  element("board").hidden = element("leave").hidden = false;
  showNodes();
  showInvoices();
  live?.close();
  live = new Stream("events", { token: sessionStorage.getItem(storedKey) });
  live.addEventListener("state", ({ detail: { state, code } }) => {
    status(state);
    if (code === 3500 || code === 401) leave("This key is not valid any more.");
  });
  live.addEventListener("event", ({ detail }) => tell(detail));
  live.addEventListener("missed", refreshSoon);
  live.addEventListener("ready", ({ detail }) => { element("head").textContent = detail.offset; refreshSoon(); });
  live.open();
}

function leave(reason) {
  live?.close();
  live = null;
  sessionStorage.removeItem(storedKey);
  element("board").hidden = element("leave").hidden = true;
  element("door").hidden = false;
  element("refusal").hidden = !reason;
  element("refusal").textContent = reason ?? "";
  status("not signed in");
}

element("door").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(storedKey, element("key").value.trim());
  element("key").value = "";
  enter();
});

element("leave").addEventListener("click", () => leave());

/** Connects with a key that is not good yet, and comes back when a wallet has made it so. */
function awaitLogin({ key, expires_at: end }) {
  const url = new URL("/connection/websocket", location.href);
  url.protocol = url.protocol.replace("http", "ws");
  return new Promise((done, fail) => {
    const connect = () => {
      if (Date.parse(end) < Date.now()) return fail(new Error("No wallet has answered in time."));
      const socket = new WebSocket(url);
      socket.addEventListener("open", () => socket.send(JSON.stringify({ id: 1, connect: { token: key } })));
      socket.addEventListener("message", ({ data }) => {
        if (!data.split("\n").some((line) => JSON.parse(line).connect)) return;
        done();
        socket.close();
      });
      // The server does not let anybody wait for long.
      socket.addEventListener("close", () => setTimeout(connect, 500));
    };
    connect();
  });
}

element("login").addEventListener("click", async () => {
  element("refusal").hidden = true;
  try {
    const claim = element("claim").value.trim();
    const response = await fetch("/v1/login", {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(claim ? { claim_code: claim } : {}),
    });
    const offer = await response.json();
    if (!response.ok) throw new Error(offer.title);
    element("login-link").href = offer.lightning;
    element("login-link").querySelector("img").src = new URL(offer.qr_url).pathname;
    element("code").hidden = false;
    await awaitLogin(offer);
    sessionStorage.setItem(storedKey, offer.key);
    element("claim").value = "";
    enter();
  } catch (error) {
    element("refusal").hidden = false;
    element("refusal").textContent = error.message;
  }
  element("code").hidden = true;
});

element("create").addEventListener("submit", async (event) => {
  event.preventDefault();
  const request = { description: element("description").value, settlement: element("settlement").value };
  // Beyond this JavaScript's numbers lose digits.
  const msat = BigInt(element("amount").value || "0") * 1000n;
  if (msat > BigInt(Number.MAX_SAFE_INTEGER)) return element("created").replaceChildren(make("span", "The amount is too large for this page.", { class: "error" }));
  if (element("amount").value) request.amount_msat = Number(msat);
  try {
    const invoice = await api("/v1/invoices", {
      method: "POST", body: JSON.stringify(request),
      headers: { "Content-Type": "application/json" },
    });
    element("created").replaceChildren(make("a", "Open its payment page", { href: `/checkout/${encodeURIComponent(invoice.watch_token)}` }));
    refreshSoon();
  } catch (error) {
    element("created").replaceChildren(make("span", error.message, { class: "error" }));
  }
});

if (sessionStorage.getItem(storedKey)) enter();
