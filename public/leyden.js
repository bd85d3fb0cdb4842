// What happens at a Leyden gateway, told over whatever gets through: WebSocket, server-sent events, or asking again and again.
//
//   import { Stream, Watch } from "/leyden.js";
//
//   const watch = new Watch(watchToken);                       one invoice, for whoever shows it to a payer
//   watch.addEventListener("invoice", ({ detail }) => …);      the invoice as the server says that it is
//   watch.open();
//
//   const stream = new Stream("events", { token: apiKey });    or "htlcs", "nodes", "invoice:<payment_hash>"
//   stream.addEventListener("event", ({ detail }) => …);       each event once, in order, also after a change of transport
//   stream.open();
//
// Both tell "state" ({ state, transport, code }: connecting, connected, lost, refused) and end with `close()`. A stream tells
// "missed" ({ detail: snapshot }) when the gateway has no longer what happened meanwhile, and "ready" ({ offset, epoch }).

const FIRST_FRAME = 5000;
const SILENCE = 40000;
const SHORTEST_DELAY = 300;
const LONGEST_DELAY = 20000;
// Whoever had to take a lesser way looks after this time whether a better one is open again.
const CLIMB = 300000;
const WAIT_SECONDS = 25;
const POLL = 3000;
const TYPES = { events: "", htlcs: "htlc.*", nodes: "node.*" };

/** The server will not have us; coming back is of no use. */
class Refused extends Error {
  constructor(code) {
    super(`refused: ${code}`);
    this.code = code;
  }
}

const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
const jitter = (attempt) => Math.random() * Math.min(LONGEST_DELAY, SHORTEST_DELAY * 2 ** attempt);

/** One connection, from the attempt to its end. It ends when nothing is heard: soon at first, later after a while. */
class Line {
  #timer = 0;
  #ending = new AbortController();
  isHeard = false;
  isSilent = false;
  started = Date.now();
  signal = this.#ending.signal;
  ended = new Promise((_, fail) => this.signal.addEventListener("abort", fail));

  constructor() { this.expect(FIRST_FRAME); }

  /** Something has to be heard within this time. */
  expect(milliseconds, isLast = false) {
    clearTimeout(this.#timer);
    const due = Date.now() + milliseconds;
    this.#timer = setTimeout(() => {
      // A tab that was frozen wakes up late; what came meanwhile is read first.
      if (!isLast && Date.now() - due > 1000) return this.expect(1000, true);
      this.isSilent = true;
      this.end();
    }, milliseconds);
  }

  heard() {
    this.isHeard = true;
    this.expect(SILENCE);
  }

  end() {
    clearTimeout(this.#timer);
    this.#ending.abort();
  }
}

/** One channel. `token` is an API key, or a function that gives one, asked before each connection. */
export class Stream extends EventTarget {
  #channel;
  #options;
  #position = null;
  #line = null;
  #isOpen = false;
  #transport = 0;
  #wake = () => {};
  #hint = 0;

  /** `base` is the address of the gateway: that of this file if nothing else is said. */
  constructor(channel, options = {}) {
    super();
    this.#channel = channel;
    this.#options = { base: import.meta.url, ...options };
  }

  open() {
    if (this.#isOpen) return;
    this.#isOpen = true;
    document.addEventListener("visibilitychange", this.#seen);
    window.addEventListener("online", this.#online);
    this.#run();
  }

  close() {
    this.#isOpen = false;
    document.removeEventListener("visibilitychange", this.#seen);
    window.removeEventListener("online", this.#online);
    this.#line?.end();
    this.#wake();
  }

  #seen = () => {
    if (document.hidden) return;
    this.#wake();
    this.#line?.probe?.();
  };

  /** Another network may let more through. */
  #online = () => {
    if (this.#transport > 0) this.#line?.end();
    this.#transport = 0;
    this.#wake();
    this.#line?.probe?.();
  };

  #tell(name, detail) { this.dispatchEvent(new CustomEvent(name, { detail })); }

  async #run() {
    const transports = [["websocket", this.#socket], ["sse", this.#events], ["poll", this.#poll]];
    for (let failures = 0, misses = 0; this.#isOpen;) {
      const [transport, carry] = transports[this.#transport];
      const line = new Line();
      this.#line = line;
      this.#tell("state", { state: "connecting", transport });
      const climb = this.#transport > 0 && setTimeout(() => { this.#transport = 0; line.end(); }, CLIMB);
      let code;
      try {
        await Promise.race([carry.call(this, line), line.ended]);
      } catch (error) {
        if (error instanceof Refused) code = error.code;
      }
      line.end();
      clearTimeout(climb);
      if (!this.#isOpen) return;
      const { token, path } = this.#options;
      // A token that has expired can be had anew; beyond that the server's no is a no.
      if (code && !path && !(typeof token === "function" && (code === 109 || code === 401))) {
        this.#tell("state", { state: "refused", transport, code });
        return this.close();
      }
      const isUseless = line.isSilent && !line.isHeard || code && path;
      if (line.isHeard && !isUseless) {
        misses = 0;
        if (Date.now() - line.started > FIRST_FRAME) failures = 0;
      } else if (isUseless || ++misses > 1) {
        // Nothing comes this way: silence tells it at once, a failure may be the gateway's own and tells it the second time.
        misses = 0;
        this.#transport = (this.#transport + 1) % transports.length;
        if (isUseless && this.#transport > 0) continue;
      }
      this.#tell("state", { state: "lost", transport });
      await Promise.race([sleep(Math.max(jitter(failures++), this.#hint)), new Promise((done) => { this.#wake = () => { failures = 0; done(); }; })]);
      this.#hint = 0;
    }
  }

  #connected(transport) {
    this.#tell("state", { state: "connected", transport });
    this.#tell("ready", this.#position);
  }

  #hand(event) {
    this.#position = { ...this.#position, offset: event.offset };
    const hash = this.#channel.startsWith("invoice:") && this.#channel.slice(8);
    if (!hash || event.data.payment_hash === hash) this.#tell("event", event);
  }

  /** The position is none of this stream, or none that is kept. */
  #miss(snapshot) {
    this.#position = null;
    this.#tell("missed", snapshot);
  }

  async #token() {
    const { token } = this.#options;
    return typeof token === "function" ? await token() : token;
  }

  // WebSocket: the JSON form of the Centrifuge client protocol.

  async #socket(line) {
    const token = await this.#token();
    const url = new URL("/connection/websocket", this.#options.base);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url);
    line.signal.addEventListener("abort", () => socket.close());
    return new Promise((_, fail) => {
      const waiting = new Map();
      let last = 0;
      // Not a promise: what stands behind an answer in the same frame has to come after it.
      const ask = (method, body, done) => {
        waiting.set(++last, done);
        socket.send(JSON.stringify({ id: last, [method]: body }));
      };
      const take = (message) => {
        if (message.id) {
          const { error } = message;
          if (error) return fail(error.temporary || error.code === 100 || error.code === 111 ? error : new Refused(error.code));
          waiting.get(message.id)?.(message);
          waiting.delete(message.id);
        } else if (message.push?.pub) this.#hand(message.push.pub.data);
        // The server has taken the channel away; coming back shows why.
        else if (message.push) fail();
        else socket.send("{}");
      };
      line.probe = () => {
        if (!line.isHeard) return;
        line.expect(FIRST_FRAME);
        ask("ping", {}, () => {});
      };
      socket.onopen = () => ask("connect", token ? { token } : {}, () => this.#subscribe(ask));
      socket.onmessage = ({ data }) => {
        // What was on its way when the line was given up comes again on the next one.
        if (line.signal.aborted) return;
        line.heard();
        for (const text of data.split("\n")) if (text) take(JSON.parse(text));
      };
      // From 3500 to 3999 the server says that coming back is of no use.
      socket.onclose = ({ code }) => fail(code >= 3500 && code < 4000 ? new Refused(code) : undefined);
    });
  }

  #subscribe(ask) {
    const channel = this.#channel;
    ask("subscribe", { channel, ...(this.#position ? { recover: true, ...this.#position } : {}) }, ({ subscribe }) => {
      const { epoch, offset, recovered, was_recovering: wasRecovering, publications = [], data } = subscribe;
      if (wasRecovering && !recovered) this.#miss(data);
      for (const publication of publications) this.#hand(publication.data);
      this.#position = { epoch, offset };
      this.#connected("websocket");
    });
  }

  // HTTP.

  async #get(line, path, accept = "application/json") {
    const token = await this.#token();
    const headers = { Accept: accept, ...(token && !this.#options.path ? { Authorization: `Bearer ${token}` } : {}) };
    const response = await fetch(new URL(path, this.#options.base), { headers, signal: line.signal, cache: "no-store" });
    if ([401, 403, 404].includes(response.status)) throw new Refused(response.status);
    if ([400, 410].includes(response.status) && this.#position) this.#miss();
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    const epoch = response.headers.get("Leyden-Epoch");
    if (epoch && this.#position) {
      // An invoice's events are told from their beginning then.
      if ((this.#position.epoch ?? epoch) !== epoch) this.#miss();
      this.#position = { offset: 0, ...this.#position, epoch };
    }
    return response;
  }

  /** Where the events are. A stream without a position begins at the present end, an invoice's at its beginning. */
  async #address(line) {
    const { path } = this.#options;
    if (path) this.#position ??= { offset: 0 };
    else if (!this.#position) {
      const { epoch, head } = await (await this.#get(line, "/v1/info")).json();
      this.#position = { epoch, offset: head };
    }
    const { offset, epoch = "" } = this.#position;
    return `${path ?? "/v1/events"}?after=${offset}&epoch=${epoch}&type=${path ? "" : TYPES[this.#channel] ?? "invoice.*,htlc.*"}`;
  }

  /** Not an EventSource: that one sends no key and does not show the comments by which a living stream is known. */
  async #events(line) {
    const response = await this.#get(line, await this.#address(line), "text/event-stream");
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done || line.signal.aborted) return;
      if (!line.isHeard) this.#connected("sse");
      line.heard();
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      for (const text of lines) {
        if (text.startsWith("data:")) this.#hand(JSON.parse(text.slice(5)));
        else if (text.startsWith("retry:")) this.#hint = Math.min(LONGEST_DELAY, Number(text.slice(6)) || 0);
      }
    }
  }

  async #poll(line) {
    const { path, state, polled } = this.#options;
    for (let wait = 0; !line.signal.aborted;) {
      const began = Date.now();
      let isQuiet = true;
      if (path) {
        const before = state();
        await polled(await (await this.#get(line, `${path}?wait=${wait}&state=${before}`)).text());
        isQuiet = state() === before;
      } else {
        const page = await (await this.#get(line, `${await this.#address(line)}&wait=${wait}`)).json();
        for (const event of page.events) this.#hand(event);
        if (page.next) this.#position.offset = page.next;
        isQuiet = page.events.length === 0;
      }
      if (line.signal.aborted) return;
      if (!line.isHeard) this.#connected("poll");
      line.heard();
      // The first answer shows that there is a way; from then on the server may wait for something to tell.
      wait = WAIT_SECONDS;
      if (isQuiet) await sleep(Math.max(0, POLL * (0.7 + 0.6 * Math.random()) - (Date.now() - began)));
    }
  }
}

const FINAL = ["settled", "canceled", "expired", "failed"];

/** One invoice, by its watch token. "invoice" tells it whenever it has changed, "unknown" that there is none. */
export class Watch extends EventTarget {
  #token;
  #base;
  #stream = null;
  #asking = null;
  #isStale = false;
  #isOpen = false;
  #clock = 0;
  #told = "";
  /** As the server said last. */
  invoice = null;

  constructor(token, { base = import.meta.url } = {}) {
    super();
    this.#token = token;
    this.#base = base;
  }

  /** The path of the invoice on the server; its QR code is below it. */
  get path() { return `/v1/watch/${encodeURIComponent(this.#token)}`; }

  async open() {
    this.#isOpen = true;
    document.addEventListener("visibilitychange", this.#seen);
    for (let attempt = 0; this.#isOpen && !this.invoice; attempt++) {
      try {
        await this.refresh();
      } catch {
        await sleep(jitter(attempt));
      }
    }
    if (!this.#isOpen) return;
    this.#stream = new Stream(`invoice:${this.invoice.payment_hash}`, {
      token: this.#token, base: this.#base, path: this.path,
      state: () => this.invoice.state, polled: (text) => text !== this.#told && this.refresh(),
    });
    this.#stream.addEventListener("state", ({ detail }) => this.dispatchEvent(new CustomEvent("state", { detail })));
    for (const name of ["event", "missed", "ready"]) this.#stream.addEventListener(name, this.#happened);
    this.#stream.open();
  }

  close() {
    this.#isOpen = false;
    document.removeEventListener("visibilitychange", this.#seen);
    clearTimeout(this.#clock);
    this.#stream?.close();
  }

  #seen = () => { if (!document.hidden) this.#happened({}); };

  /** What happened is a hint; what is, the server says. */
  #happened = ({ type, detail }) => {
    if (type === "event") {
      this.dispatchEvent(new CustomEvent("event", { detail }));
      if (!detail.type.startsWith("invoice.")) return;
    }
    this.refresh().catch(() => this.#later(1));
  };

  /** Asks the server, once for all who want to know. */
  refresh() {
    if (this.#asking) {
      this.#isStale = true;
      return this.#asking;
    }
    this.#asking = this.#ask().finally(() => { this.#asking = null; });
    return this.#asking;
  }

  async #ask() {
    do {
      this.#isStale = false;
      const signal = AbortSignal.timeout(2 * FIRST_FRAME);
      const response = await fetch(new URL(this.path, this.#base), { headers: { Accept: "application/json" }, cache: "no-store", signal });
      if (!this.#isOpen) return;
      if (response.status === 404) {
        this.close();
        this.dispatchEvent(new CustomEvent("unknown"));
        return;
      }
      if (!response.ok) throw new Error(`HTTP ${response.status}`);
      const text = await response.text();
      if (!this.#isOpen) return;
      this.invoice = JSON.parse(text);
      const isFinal = FINAL.includes(this.invoice.state);
      if (isFinal) this.close();
      else this.#later();
      if (text !== this.#told) this.dispatchEvent(new CustomEvent("invoice", { detail: this.invoice }));
      this.#told = text;
    } while (this.#isStale && this.#isOpen);
  }

  /** Looks again when the time is over. A payment of the last second is one, and this clock may be wrong: only the server knows
      what has expired, and until it says so it is asked, ever more seldom. */
  #later(seconds) {
    clearTimeout(this.#clock);
    const over = (Date.now() - Date.parse(this.invoice?.expires_at)) / 1000;
    const pause = seconds ?? (over < 0 ? Math.min(-over, 3600) + Math.random() : Math.min(60, Math.max(2, over / 2 || 2)));
    this.#clock = setTimeout(() => this.#happened({}), pause * 1000);
  }
}
