// The payment page: shows one invoice and turns to paid by itself.

import { countdown, satoshis } from "/amounts.js";
import { Watch } from "/leyden.js";

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
const final = new Set(["settled", "canceled", "expired", "failed", "unknown"]);

const watch = new Watch(decodeURIComponent(location.pathname.split("/").filter(Boolean).pop() ?? ""));
const main = document.querySelector("main");
const connection = document.getElementById("connection");
let clock = 0;

const set = (id, text) => { document.getElementById(id).textContent = text; };

function show(state) {
  main.dataset.state = state;
  set("state", texts[state] ?? state);
  if (state === "settled") document.title = "Paid";
  if (!final.has(state)) return;
  clearInterval(clock);
  connection.hidden = true;
}

/** What an invoice is made of does not change. */
function fill(invoice) {
  const amount = invoice.amount_msat ?? (invoice.received_msat || null);
  set("amount", amount === null ? "Any amount" : satoshis(amount));
  document.getElementById("unit").hidden = amount === null;
  set("description", invoice.description ?? "");
  const link = `lightning:${invoice.payment_request}`;
  document.getElementById("qr").href = link;
  document.getElementById("wallet").href = link;
  document.querySelector("#qr img").src = `${watch.path}/qr.svg`;
  document.getElementById("copy").addEventListener("click", () => copy(invoice.payment_request));
  const count = () => set("countdown", countdown(Math.max(0, Math.ceil((Date.parse(invoice.expires_at) - Date.now()) / 1000))));
  clock = setInterval(count, 1000);
  count();
}

async function copy(text) {
  const button = document.getElementById("copy");
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    // Without HTTPS there is no clipboard; the text can be copied by hand.
    prompt("Lightning invoice", text);
  }
  setTimeout(() => { button.textContent = "Copy invoice"; }, 2000);
}

watch.addEventListener("invoice", ({ detail: invoice }) => {
  if (!clock) fill(invoice);
  show(invoice.state);
});

watch.addEventListener("unknown", () => {
  set("amount", "–");
  show("unknown");
});

watch.addEventListener("state", ({ detail: { state, transport } }) => {
  const words = { connected: "live", connecting: "connecting", lost: "connection lost, coming back" };
  connection.dataset.status = state;
  connection.dataset.transport = transport;
  connection.textContent = words[state] ?? state;
});

watch.open();
