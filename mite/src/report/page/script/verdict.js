// What comes first: the verdict, the thresholds and the figures that matter most.

const VERDICTS = {
  passed: ["✓", "Passed"],
  failed: ["✗", "Failed"],
  invalid: ["!", "Invalid: the load was not what was asked for"],
  interrupted: ["■", "Interrupted before the end"],
  running: ["…", "Running"],
};

// So many thresholds and reasons are shown at first.
const MOST_THRESHOLDS = 10;
const MOST_REASONS = 10;

function verdictPart() {
  const banner = make("div", {});
  const thresholds = thresholdsTable();
  const block = make("div", { class: "block" }, make("h3", {}, "Thresholds"), thresholds.element);
  const facts = make("dl", { class: "facts" });
  const striking = make("ul", { class: "striking" });
  const strikes = make("div", { class: "block" }, make("h3", {}, "What stands out"), striking);
  const built = part("verdict", "Verdict", banner, block, facts, strikes);

  built.update = (report, names, running) => {
    showVerdict(banner, report, running);
    thresholds.update(brokenFirst(report.thresholds));
    block.hidden = report.thresholds.length === 0;
    const told = standsOut(report);
    strikes.hidden = told.length === 0;
    striking.replaceChildren(
      ...told.map(([text, id, bad]) =>
        make("li", {}, make("a", { href: "#" + id, class: bad ? "bad" : null }, text)),
      ),
    );
    facts.replaceChildren(
      ...figures(report).map(([name, value, more, bad]) =>
        make(
          "div",
          { class: bad ? "bad" : null },
          make("dt", {}, name),
          make("dd", {}, value, more ? make("small", {}, more) : null),
        ),
      ),
    );
  };
  return built;
}

function thresholdsTable() {
  return new Table({
    title: "Thresholds",
    unit: "threshold",
    few: MOST_THRESHOLDS,
    columns: [
      {
        name: "Threshold",
        of: (row) => row.expression,
        node: (row) => make("span", { class: "code" }, words.cut(row.expression)),
      },
      {
        name: "Measured",
        of: (row) => row.value,
        number: true,
        text: words.measured,
        bad: (row) => !row.passed,
        node: (row) => words.measured(row),
        title: "Over the whole run without the warm-up, or the worst window",
      },
      {
        name: "Held",
        of: (row) => (row.passed ? "held" : "broken"),
        node: (row) => mark(row.passed, "held", brokenAt(row)),
      },
    ],
  });
}

function showVerdict(banner, report, running) {
  const [sign, word] = VERDICTS[running ? "running" : report.verdict] ?? ["", report.verdict];
  banner.className = "verdict " + (running ? "running" : report.verdict);
  const reasons = running ? [] : report.reasons;
  const more = reasons.length - MOST_REASONS;
  const listed = make(
    "ul",
    {},
    reasons.slice(0, MOST_REASONS).map((reason) => make("li", {}, words.cut(reason, 2000))),
    more > 0 ? make("li", {}, `and ${words.plural(more, "more reason")}`) : null,
  );
  banner.replaceChildren(
    make("p", { class: "word" }, make("span", { "aria-hidden": "true" }, sign + " "), word),
    ...(reasons.length > 0 ? [listed] : []),
  );
}

// Where some are not seen at first, they are those that held.
function brokenFirst(thresholds) {
  if (thresholds.length <= MOST_THRESHOLDS) return thresholds;
  return [...thresholds].sort((one, other) => Number(one.passed) - Number(other.passed));
}

const brokenAt = ({ broke_at: at }) =>
  typeof at === "number" ? `broken at ${words.clock(at)}` : "broken";

const mark = (good, yes, no) =>
  make(
    "span",
    { class: good ? "good" : "bad" },
    make("span", { "aria-hidden": "true" }, good ? "✓ " : "✗ "),
    good ? yes : no,
  );

// So many names that got slow are told of at the top.
const MOST_TOLD = 5;

// Where to look first: [sentence, part of the page, whether it is bad].
function standsOut(report) {
  const names = report.http.requests_by_name;
  const label = (row) => words.cut(requestLabel(row), 100);
  const slow = gotSlow(report);
  const told = slow
    .slice(0, MOST_TOLD)
    .map((row) => [`Got slow: ${words.cut(row.label, 100)}, ${onsetWords(row.onset)}`, "names", true]);
  if (slow.length > MOST_TOLD)
    told.push([`${words.plural(slow.length - MOST_TOLD, "more name")} got slow`, "names", true]);
  const most = (of) =>
    names.reduce((one, other) => (of(other) > (one ? of(one) : 0) ? other : one), null);
  const slowest = names.length > 1 ? most(({ time }) => time.p95 ?? 0) : null;
  if (slowest)
    told.push([
      `Slowest request: ${label(slowest)}, p95 ${words.time(slowest.time.p95)}, ` +
        `of all requests ${words.time(report.http.time.p95)}`,
      "requests",
    ]);
  const failures = ({ failures }) => sum(Object.values(failures));
  const failing = most(failures);
  if (failing)
    told.push([
      `Most failures: ${label(failing)}, ${words.count(failures(failing))} ` +
        `of ${words.count(failing.count)} requests`,
      "requests",
      true,
    ]);
  told.push(...blamed(report.generator.suspicions ?? []));
  return told;
}

// Who is to blame for what makes the numbers doubtful; reports of old say nothing of it.
const causeOf = (suspicion) => suspicion.cause ?? "generator";

const CAUSES = {
  generator: "the load generator",
  server: "the server, or a limit on journeys in flight that is too low for it",
  data: "the data: a pool had too little to give",
  scenario: "the scenario, or the options of the run",
};

// Where to look first when something speaks against the numbers, or that nothing does.
function blamed(suspicions) {
  const decisive = suspicions.filter((row) => row.invalid);
  const causes = Object.keys(CAUSES).filter((cause) =>
    decisive.some((row) => causeOf(row) === cause),
  );
  const told = causes.map((cause) =>
    cause === "generator"
      ? ["The load generator is to blame: the load was not what was asked for", "generator", true]
      : [`The load was not what was asked for, because of ${CAUSES[cause]}`, "generator", true],
  );
  if (causes.includes("generator")) return told;
  const own = suspicions.filter((row) => causeOf(row) === "generator").length;
  told.push([
    own > 0
      ? `The load generator may be part of the cause: ${words.plural(own, "warning")}`
      : "Nothing speaks against the load generator",
    "generator",
  ]);
  return told;
}

// [name, value, more, whether it is bad]
function figures(report) {
  const { http } = report;
  const seconds = measuredSeconds(report);
  const perSecond = (count) => (seconds > 0 ? words.rate(count / seconds) + "/s" : "");
  const total = (name) => sum(report.journeys.map((row) => row[name]));
  const [completed, failed, dropped, interrupted] = [
    "completed",
    "failed",
    "dropped",
    "interrupted",
  ].map(total);
  const warmUp =
    report.series.warm_up_seconds > 0
      ? `of it ${words.span(report.series.warm_up_seconds)} warm-up, not counted`
      : "";
  const rows = [
    ["Duration", words.span(report.duration_seconds), warmUp],
    ["Journeys completed", words.count(completed), perSecond(completed)],
    [
      "Journeys failed",
      words.count(failed),
      failed > 0 ? `${words.share(failed / (failed + completed))} of those that finished` : "",
      failed > 0,
    ],
  ];
  if (dropped > 0)
    rows.push(["Starts dropped", words.count(dropped), "planned, and never begun", true]);
  if (interrupted > 0)
    rows.push(["Journeys interrupted", words.count(interrupted), "cut off by the end"]);
  if (http.requests > 0 || http.failed > 0) {
    rows.push(
      ["Requests", words.count(http.requests), perSecond(http.requests)],
      [
        "Requests failed",
        words.count(http.failed),
        http.failed > 0 ? words.share(http.failed / http.requests) : "",
        http.failed > 0,
      ],
    );
  }
  if (http.time.count > 0) {
    const { p50, p95, p99, max } = http.time;
    rows.push(
      ["Request time p50", words.time(p50), `mean ${words.time(http.time.mean)}`],
      ["Request time p95", words.time(p95)],
      ["Request time p99", words.time(p99), `longest ${words.time(max)}`],
    );
  }
  if (http.bytes_received + http.bytes_sent > 0) {
    rows.push([
      "Received",
      words.bytes(http.bytes_received),
      `${words.bytes(http.bytes_sent)} sent`,
    ]);
  }
  return rows;
}
