// The page of a pay link, for people: what is asked, a code to scan and links that open a wallet.

import { satoshis } from "/amounts.js";

const id = location.pathname.split("/").pop();
const place = `${location.host}/lnurl/pay/${encodeURIComponent(id)}`;
// What the address says behind `lightning=` is for wallets; here it could be anybody's.
const plain = `lnurlp://${place}`;

const element = (name) => document.getElementById(name);

function amount({ minSendable, maxSendable }) {
  return minSendable === maxSendable ? `${satoshis(minSendable)} sat` : `${satoshis(minSendable)} to ${satoshis(maxSendable)} sat`;
}

async function show() {
  const card = document.querySelector("main");
  try {
    const offer = await (await fetch(`/lnurl/pay/${encodeURIComponent(id)}`)).json();
    if (offer.status === "ERROR") {
      card.dataset.state = "over";
      element("amount").textContent = "";
      element("state").textContent = offer.reason;
      document.querySelector(".payable").hidden = true;
      return;
    }
    const entries = new Map(JSON.parse(offer.metadata));
    element("amount").textContent = amount(offer);
    element("description").textContent = entries.get("text/long-desc") ?? entries.get("text/plain") ?? "";
    element("state").textContent = "Scan with a Lightning wallet";
    element("qr").querySelector("img").src = `/lnurl/pay/${encodeURIComponent(id)}/qr.svg`;
    for (const name of ["qr", "wallet", "plain"]) element(name).href = plain;
    card.dataset.state = "open";
  } catch {
    element("state").textContent = "The link cannot be loaded now. Try again in a moment.";
  }
}

element("copy").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(plain);
    element("copy").textContent = "Copied";
  } catch {
    // Without HTTPS there is no clipboard; the text can be copied by hand.
    prompt("Pay link", plain);
  }
});

show();
