// What is held against the load generator, and how it fared.

function generatorPart() {
  const word = make("p", {});
  const suspicions = suspicionsTable();
  const figures = figuresTable();
  const notes = make("ul", {});
  const built = part(
    "generator",
    "The load generator itself",
    word,
    suspicions.element,
    notes,
    make("div", { class: "block" }, make("h3", {}, "Figures"), figures.element),
  );
  built.short = "Generator";
  built.update = (report, names) => {
    const { generator } = report;
    const held = generator.suspicions ?? [];
    const [style, sentence] = judgement(held);
    word.className = style;
    word.textContent = sentence;
    suspicions.update(held);
    figures.update(generatorFigures(report));
    const said = [...(generator.notes ?? [])];
    if (generator.starved?.length > 0) {
      said.push(
        "Waited for data, because the pool was empty: " +
          `${generator.starved.map(names.journey).join(", ")}.`,
      );
    }
    notes.replaceChildren(...said.map((note) => make("li", {}, words.cut(note, 2000))));
    notes.hidden = said.length === 0;
  };
  return built;
}

function suspicionsTable() {
  return new Table({
    title: "Suspicions",
    unit: "suspicion",
    columns: [
      textColumn("About", (row) => row.name.replaceAll("_", " ")),
      {
        name: "Weight",
        of: (row) => (row.invalid ? "makes the run invalid" : "warning"),
        bad: (row) => row.invalid,
      },
      textColumn("Cause", causeOf),
      textColumn("What", (row) => row.message, {
        wide: true,
        node: (row) => words.cut(row.message, 2000),
      }),
    ],
  });
}

function figuresTable() {
  return new Table({
    title: "Figures of the generator",
    unit: "figure",
    filter: false,
    columns: [
      textColumn("Figure", (row) => row[0]),
      { name: "Value", of: (row) => row[1], node: (row) => row[1] },
      textColumn("Tells", (row) => row[2], { wide: true }),
    ],
  });
}

// [how it looks, what the suspicions come to for the generator]
function judgement(suspicions) {
  const own = suspicions.filter((one) => causeOf(one) === "generator");
  const decisive = suspicions.filter((one) => one.invalid);
  if (own.some((one) => one.invalid))
    return [
      "bad",
      "The numbers of this run say little about the system: the generator, or its machine, " +
        "did not do what was asked of it.",
    ];
  if (decisive.length > 0)
    return [
      "doubt",
      "The load was not what was asked for, but the generator is not to blame for it" +
        (own.length > 0 ? ", though something of it came near its limits." : "."),
    ];
  if (own.length > 0)
    return [
      "doubt",
      "The load was what was asked for, but something of the generator came near its limits, " +
        "and may be in the times.",
    ];
  return ["good", "Nothing speaks against the generator: no limit of its own was passed."];
}

// [what it is, how much, what it tells]
function generatorFigures(report) {
  return [...processFigures(report), ...machineFigures(report), ...connectionFigures(report)];
}

const isKnown = (value) => value !== undefined && value !== null;

// Of [value, name, how it is written, what it tells], those that have a value.
const figuresOf = (rows) =>
  rows
    .filter(([value]) => isKnown(value))
    .map(([value, name, text, tells]) => [name, text(value), tells]);

const inSeconds = (seconds) => words.number(seconds) + "s";

function processFigures({ generator, duration_seconds: duration }) {
  const processes = generator.runners === 1 ? "process" : "processes";
  const average = `${words.number(generator.cpu_seconds / duration)} processors on average`;
  return figuresOf([
    [
      generator.workers,
      "Workers",
      words.count,
      `threads that ran journeys, in ${words.count(generator.runners)} ${processes}`,
    ],
    [
      generator.busiest_worker_cpu,
      "Busiest worker",
      words.percent,
      "of its core, used by its work",
    ],
    [
      generator.loop_lag.p99,
      "Loop lag p99",
      words.time,
      "how much later than due the workers' loops came round",
    ],
    [generator.loop_lag.max, "Loop lag max", words.time, "the longest of these"],
    [generator.cpu_seconds, "Processor time", inSeconds, duration > 0 ? average : ""],
  ]);
}

function machineFigures({ generator }) {
  const limit = generator.open_files_limit;
  const allowed = isKnown(limit) ? `, of ${words.count(limit)} allowed` : "";
  return figuresOf([
    [generator.machine_cpu, "Machine", words.percent, "of its processors in use, by whomever"],
    [
      generator.steal_seconds,
      "Stolen",
      inSeconds,
      "processor time that the host gave to others",
    ],
    [
      generator.throttled,
      "Throttled",
      words.percent,
      "periods in which the container's CPU limit stopped the generator",
    ],
    [generator.peak_rss_bytes, "Memory", words.bytes, "the most that one process held"],
    [
      generator.memory_left_bytes,
      "Memory left",
      words.bytes,
      "the least that was left to the machine or container",
    ],
    [generator.open_files, "Open files", words.count, `the most at a time${allowed}`],
    [
      generator.tcp_sockets,
      "TCP sockets",
      words.count,
      "the most of the machine at a time, closed ones that still hold their port included",
    ],
    [
      generator.local_ports,
      "Local ports",
      words.count,
      "for connections from one address to one server",
    ],
    [generator.retransmitted, "Sent again", words.percent, "of the machine's TCP segments"],
  ]);
}

function connectionFigures({ generator, http }) {
  const rows = [];
  const own = generator.own_errors ?? {};
  const lacks = Object.entries(own).filter(([, count]) => count > 0);
  if (lacks.length > 0)
    rows.push([
      "Connections not opened",
      words.count(sum(lacks.map(([, count]) => count))),
      "for want of " + lacks.map(([what, count]) => `${what} (${words.count(count)})`).join(", "),
    ]);
  const { connections, versions = {} } = http;
  if (connections.opened + connections.failed > 0)
    rows.push([
      "Connections opened",
      words.count(connections.opened),
      connectionFacts(connections).join("; "),
    ]);
  const spoken = Object.entries(versions);
  if (spoken.length > 0)
    rows.push([
      "Requests by version",
      spoken.map(([version, count]) => `${words.count(count)} × ${version}`).join(", "),
      "",
    ]);
  return rows;
}

function connectionFacts(connections) {
  const facts = [`${words.plural(connections.reused, "request")} over kept ones`];
  if (connections.tls_handshakes > 0)
    facts.push(
      `${words.count(connections.tls_handshakes)} with TLS, ` +
        `${words.count(connections.tls_resumed)} of them resumed`,
    );
  if (connections.failed > 0) facts.push(`${words.count(connections.failed)} attempts failed`);
  if (connections.fallbacks > 0)
    facts.push(`${words.plural(connections.fallbacks, "fallback")} to another address`);
  return facts;
}
