// The page of a run that is under way: the report so far, and then each second, as they are told.

// How long to wait before trying again, in milliseconds: at first, and at most.
const SOON = 500;
const LATE = 5000;
// How often the stretches of the run are asked for, and how many times longer than an answer takes
// to come: they change less than the rest, and are much.
const SELDOM = 5000;
const SPARING = 20;

const token = new URLSearchParams(location.hash.slice(1)).get("token");

async function ask(path, options = {}) {
  const headers = { ...(options.headers ?? {}) };
  if (token) headers.authorization = "Bearer " + token;
  const answer = await fetch(path, { cache: "no-store", ...options, headers });
  if (!answer.ok) throw new Error(`${path} was answered with status ${answer.status}`);
  return answer;
}

class Live {
  constructor(show) {
    this.show = show;
    this.report = null;
    this.batches = null;
    this.nextBatches = 0;
    this.over = false;
    this.factor = 1;
    this.state = make("span", { role: "status" }, "connecting …");
    const button = (name, action, style = null) =>
      make("button", { type: "button", class: style, onclick: action }, name);
    this.stop = button(
      "Stop the run",
      () => this.post("/api/stop", null, "stopping: what is in flight may finish"),
      "stop",
    );
    this.lower = button("Lower", () => this.change(1 / 1.1));
    this.raise = button("Raise", () => this.change(1.1));
    this.volume = make("output", { class: "quiet" });
    this.said = make("output", { class: "quiet" });
    for (const part of [this.lower, this.raise, this.volume]) part.hidden = true;
    this.element = make(
      "div",
      { class: "control" },
      this.state,
      this.stop,
      this.lower,
      this.raise,
      this.volume,
      this.said,
    );
  }

  // Follows the run to its end, however often the connection is lost.
  async follow() {
    let pause = SOON;
    while (!this.over) {
      try {
        await this.listen(() => {
          pause = SOON;
        });
      } catch (error) {
        console.debug(error);
      }
      if (this.over) break;
      this.tell("the connection is lost; trying again …", true);
      await new Promise((done) => setTimeout(done, pause));
      pause = Math.min(2 * pause, LATE);
    }
    this.end();
  }

  // Each connection begins with all there is: the run may be another than that of the one before.
  async listen(connected) {
    const stop = new AbortController();
    const events = await ask("/api/events", {
      headers: { accept: "text/event-stream" },
      signal: stop.signal,
    });
    connected();
    this.tell("nothing has been measured yet");
    let first = true;
    try {
      for await (const { event, data } of messages(events.body)) {
        if (event !== "update" && event !== "end") continue;
        this.take(parseReport(data), first);
        if (event === "end") {
          this.over = true;
          return;
        }
        this.render();
        if (first) this.askVolume();
        first = false;
      }
    } finally {
      stop.abort();
    }
  }

  // A message has the report so far, with the seconds since the message before.
  take(update, first) {
    const known = first ? [] : this.report.series.points;
    const points = [...known, ...update.series.points];
    this.report = { ...update, series: { ...update.series, points } };
  }

  render() {
    this.tell(`running for ${words.span(this.report.duration_seconds)}`);
    this.show({ ...this.report, batches: this.batches }, true);
    this.askBatches();
  }

  async askBatches() {
    const began = performance.now();
    if (began < this.nextBatches) return;
    this.nextBatches = Infinity;
    try {
      this.batches = await (await ask("/api/batches")).json();
    } catch (error) {
      console.debug(error);
    }
    const now = performance.now();
    this.nextBatches = now + Math.max(SELDOM, SPARING * (now - began));
  }

  end() {
    for (const part of [this.stop, this.lower, this.raise, this.volume]) part.hidden = true;
    this.said.textContent = "";
    this.tell("the run is over");
    this.show(this.report, false);
  }

  tell(text, lost = false) {
    this.state.textContent = text;
    this.state.className = lost ? "lost" : "";
    for (const part of [this.stop, this.lower, this.raise]) part.disabled = lost;
  }

  async askVolume() {
    try {
      this.showVolume(await (await ask("/api/volume")).json());
    } catch (error) {
      console.debug(error);
    }
  }

  showVolume({ adjustable, factor }) {
    if (typeof factor === "number") this.factor = factor;
    for (const part of [this.lower, this.raise, this.volume]) part.hidden = !adjustable;
    this.volume.textContent = `volume ${words.percent(this.factor)} of the plan`;
  }

  async change(by) {
    const factor = Number((this.factor * by).toPrecision(3));
    const body = JSON.stringify({ factor });
    if (await this.post("/api/volume", body, "")) {
      this.showVolume({ adjustable: true, factor });
      this.askVolume();
    }
  }

  async post(path, body, done) {
    try {
      const headers = body === null ? {} : { "content-type": "application/json" };
      await ask(path, { method: "POST", headers, body });
      this.said.textContent = done;
      return true;
    } catch (error) {
      this.said.textContent = `That did not work: ${error.message}`;
      return false;
    }
  }
}

// Server-sent events as they come:
// <https://html.spec.whatwg.org/multipage/server-sent-events.html>.
async function* messages(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let event = "message";
  let data = [];
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop();
    for (const line of lines) {
      if (line === "") {
        if (data.length > 0 || event !== "message") yield { event, data: data.join("\n") };
        event = "message";
        data = [];
        continue;
      }
      const [, field, text] = line.match(/^([^:]*):? ?([\s\S]*)$/);
      if (field === "event") event = text;
      else if (field === "data") data.push(text);
    }
  }
}
