// The payment page: shows one invoice and turns to paid by itself.

import { countdown, satoshis } from "/amounts.js";
import { Live } from "/live.js";

const texts = {
  open: "Waiting for your payment",
  accepted: "Payment received, waiting for confirmation",
  settle_requested: "Payment received, completing",
  settled: "Paid. Thank you!",
  canceled: "This invoice was canceled",
  expired: "This invoice has expired",
  failed: "The payment did not complete",
  unknown: "There is no such invoice",
};
const final = new Set(["settled", "canceled", "expired", "failed"]);

const token = decodeURIComponent(location.pathname.split("/").filter(Boolean).pop() ?? "");
const address = `/v1/watch/${encodeURIComponent(token)}`;
const main = document.querySelector("main");
const connection = document.getElementById("connection");
let invoice = null;
let live = null;
let stream = null;
let clock = 0;

const set = (id, text) => { document.getElementById(id).textContent = text; };
const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

function show(state) {
  if (main.dataset.state === state) return;
  main.dataset.state = state;
  set("state", texts[state] ?? state);
  if (state === "settled") document.title = "Paid";
  if (!final.has(state)) return;
  clearInterval(clock);
  live?.close();
  stream?.close();
  connection.hidden = true;
}

/** Asks the server, as often as it takes. `null` if there is no such invoice. */
async function ask() {
  for (let attempt = 0; ; attempt++) {
    try {
      const response = await fetch(address, { headers: { Accept: "application/json" }, cache: "no-store" });
      if (response.status === 404) return null;
      if (response.ok) return await response.json();
    } catch {
      // The network is away; the next attempt follows.
    }
    await wait(Math.random() * Math.min(20000, 500 * 2 ** attempt));
  }
}

async function refresh() {
  const current = await ask();
  if (current === null) return show("unknown");
  invoice = current;
  show(invoice.state);
}

/** What happened is a hint; what is, the server says. */
function happened(event) {
  if (!event.type.startsWith("invoice.")) return;
  refresh();
}

function count() {
  const left = Math.ceil((Date.parse(invoice.expires_at) - Date.now()) / 1000);
  set("countdown", left > 0 ? countdown(left) : "0:00");
  // A payment that arrived in the last second is one: only the server knows. This clock may be wrong, too.
  if (left <= 0 && left % 5 === 0) refresh();
}

function listenByEvents() {
  if (stream || final.has(main.dataset.state)) return;
  stream = new EventSource(address);
  const types = ["created", "accepted", "settle_requested", "settled", "released", "canceled", "expired", "failed"];
  for (const type of types) stream.addEventListener(`invoice.${type}`, (message) => happened(JSON.parse(message.data)));
  stream.onmessage = (message) => happened(JSON.parse(message.data));
  stream.onopen = () => { tell("connected"); refresh(); };
  stream.onerror = () => {
    tell("lost");
    if (stream.readyState !== EventSource.CLOSED) return;
    stream = null;
    setTimeout(listenByEvents, 1000 + Math.random() * 4000);
  };
}

function tell(status) {
  const words = { connected: "live", connecting: "connecting", lost: "connection lost, coming back", refused: "not connected" };
  connection.dataset.status = status;
  connection.textContent = words[status] ?? status;
}

function listen() {
  let failures = 0;
  live = new Live(token);
  live.addEventListener("state", ({ detail }) => {
    if (stream) return;
    tell(detail.state);
    if (detail.state === "connected") failures = 0;
    // Some networks let no WebSocket through.
    if (detail.state === "refused" || (detail.state === "lost" && ++failures >= 3)) {
      live.close();
      listenByEvents();
    }
  });
  live.subscribe(`invoice:${invoice.payment_hash}`, {
    event: happened,
    ready: refresh,
    missed: refresh,
    refused: () => { live.close(); listenByEvents(); },
  });
  live.open();
}

async function copy() {
  const button = document.getElementById("copy");
  try {
    await navigator.clipboard.writeText(invoice.payment_request);
    button.textContent = "Copied";
  } catch {
    // Without HTTPS there is no clipboard; the text can be copied by hand.
    prompt("Lightning invoice", invoice.payment_request);
  }
  await wait(2000);
  button.textContent = "Copy invoice";
}

invoice = await ask();
if (invoice === null) {
  set("amount", "–");
  connection.hidden = true;
  show("unknown");
} else {
  const amount = invoice.amount_msat ?? (invoice.received_msat || null);
  set("amount", amount === null ? "Any amount" : satoshis(amount));
  document.getElementById("unit").hidden = amount === null;
  set("description", invoice.description ?? "");
  const link = `lightning:${invoice.payment_request}`;
  document.getElementById("qr").href = link;
  document.getElementById("wallet").href = link;
  document.querySelector("#qr img").src = `${address}/qr.svg`;
  document.getElementById("copy").addEventListener("click", copy);
  document.addEventListener("visibilitychange", () => { if (!document.hidden && !final.has(main.dataset.state)) refresh(); });
  show(invoice.state);
  if (!final.has(invoice.state)) {
    clock = setInterval(count, 1000);
    count();
    listen();
  }
}
