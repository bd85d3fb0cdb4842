// The Centrifuge client protocol over one WebSocket: connect, subscribe, recover, come back.

const FIRST_DELAY = 300;
const LONGEST_DELAY = 20000;

/** A connection that comes back by itself and resumes each channel behind the last event it has handed out. */
export class Live extends EventTarget {
  #token;
  #socket = null;
  #channels = new Map();
  #waiting = new Map();
  #nextID = 1;
  #attempts = 0;
  #timer = 0;
  #watchdog = 0;
  #silence = 40000;
  #ended = false;

  constructor(token) {
    super();
    this.#token = token;
  }

  /** handlers: `event(object)`, `missed(snapshot)` when events were lost, `refused(error)`. */
  subscribe(channel, handlers) {
    this.#channels.set(channel, { handlers, position: null });
    if (this.#socket?.isReady) this.#ask(channel);
  }

  open() {
    this.#ended = false;
    const url = new URL("/connection/websocket", location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    this.#tell("connecting");
    const socket = new WebSocket(url);
    this.#socket = socket;
    this.#watch();
    socket.onopen = () => this.#send("connect", this.#token ? { token: this.#token } : {}, (reply) => {
      if (reply.error) return socket.close();
      socket.isReady = true;
      this.#attempts = 0;
      if (reply.connect.ping) this.#silence = (reply.connect.ping + 10) * 1000;
      this.#tell("connected");
      for (const channel of this.#channels.keys()) this.#ask(channel);
    });
    socket.onmessage = (message) => {
      this.#watch();
      for (const line of message.data.split("\n")) if (line) this.#take(JSON.parse(line));
    };
    socket.onclose = (closed) => this.#lost(socket, closed.code);
  }

  close() {
    this.#ended = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#watchdog);
    this.#socket?.close();
  }

  #tell(state, code) {
    this.dispatchEvent(new CustomEvent("state", { detail: { state, code } }));
  }

  #watch() {
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(() => this.#lost(this.#socket, 0), this.#silence);
  }

  #lost(socket, code) {
    if (!socket || socket !== this.#socket) return;
    socket.onmessage = socket.onclose = null;
    socket.close();
    this.#socket = null;
    this.#waiting.clear();
    clearTimeout(this.#watchdog);
    if (this.#ended) return;
    // From 3500 to 3999 the server says that coming back is of no use.
    if (code >= 3500 && code < 4000) return this.#tell("refused", code);
    this.#tell("lost", code);
    const ceiling = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** this.#attempts++);
    this.#timer = setTimeout(() => this.open(), Math.random() * ceiling);
  }

  #send(method, body, done) {
    const id = this.#nextID++;
    this.#waiting.set(id, done);
    this.#socket.send(JSON.stringify({ id, [method]: body }));
  }

  #ask(channel) {
    const entry = this.#channels.get(channel);
    const from = entry.position ? { recover: true, ...entry.position } : {};
    this.#send("subscribe", { channel, ...from }, (reply) => {
      if (reply.error) {
        if (reply.error.temporary) setTimeout(() => this.#socket?.isReady && this.#ask(channel), 1000 + Math.random() * 2000);
        else entry.handlers.refused?.(reply.error);
        return;
      }
      const { epoch, offset, recovered, was_recovering: wasRecovering, publications = [], data } = reply.subscribe;
      entry.position = { epoch, offset };
      if (wasRecovering && !recovered) entry.handlers.missed?.(data);
      for (const publication of publications) this.#hand(entry, publication);
      entry.handlers.ready?.(entry.position);
    });
  }

  #take(message) {
    if (message.id) {
      const done = this.#waiting.get(message.id);
      this.#waiting.delete(message.id);
      return done?.(message);
    }
    if (!message.push) return this.#socket?.send("{}");
    const entry = this.#channels.get(message.push.channel);
    if (!entry) return;
    if (message.push.pub) this.#hand(entry, message.push.pub);
    else if (message.push.unsubscribe?.code >= 2500) this.#ask(message.push.channel);
  }

  #hand(entry, publication) {
    if (entry.position) entry.position.offset = publication.offset;
    entry.handlers.event?.(publication.data);
  }
}
