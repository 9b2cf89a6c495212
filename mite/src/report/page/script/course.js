// How the run went over time.

const perSecond = (name) => (point) =>
  point[name] === undefined || point[name] === null ? null : point[name] / timeline.interval;
const times = (of, name) => (point) => point[of]?.[name] ?? null;

const timeline = new Timeline();

function coursePart() {
  const charts = { ...volumeCharts(), ...failureCharts(), ...timeCharts() };
  const remark = make("p", { class: "remark" });
  const built = part(
    "course",
    "Over time",
    remark,
    make("div", { class: "tools" }, timeline.back),
    make(
      "div",
      { class: "charts two" },
      Object.values(charts).map((chart) => chart.element),
    ),
  );
  built.short = "Over time";
  built.update = (report) => {
    const { points } = report.series;
    built.element.hidden = points.length === 0;
    hideEmpty(charts, points);
    charts.http.bounds = boundsOf(report, "http");
    charts.journeys.bounds = boundsOf(report, "journey");
    remark.replaceChildren(
      courseRemark(report),
      onScreen(" Point at a chart to read all of them at that second; drag to look closer."),
    );
    timeline.marks = courseMarks(report);
    timeline.update(report);
  };
  return built;
}

// What was asked for and what came of it.
function volumeCharts() {
  return {
    users: new Chart(timeline, {
      title: "Journeys in flight",
      unit: "count",
      lines: [
        {
          name: "asked for",
          of: (point) => point.target_users ?? null,
          color: "grey",
          dashed: true,
          optional: true,
          title: "Users that should have been there",
        },
        { name: "in flight", of: (point) => point.users, color: "blue" },
      ],
    }),
    starts: new Chart(timeline, {
      title: "Journeys started",
      unit: "rate",
      lines: [
        {
          name: "asked for",
          of: perSecond("planned_starts"),
          color: "grey",
          dashed: true,
          optional: true,
          title: "Starts that fell due, in the open model",
        },
        { name: "started", of: perSecond("starts"), color: "blue" },
        {
          name: "dropped",
          of: perSecond("dropped"),
          color: "red",
          optional: true,
          title: "Planned, and given up before they began",
        },
      ],
    }),
  };
}

function failureCharts() {
  return {
    requests: new Chart(timeline, {
      title: "Requests",
      unit: "rate",
      lines: [
        { name: "ended", of: perSecond("requests"), color: "blue" },
        { name: "failed", of: perSecond("failed_requests"), color: "red", optional: true },
      ],
    }),
    errors: new Chart(timeline, {
      title: "Errors",
      unit: "rate",
      lines: [
        { name: "failed requests", of: perSecond("failed_requests"), color: "violet" },
        { name: "failed journeys", of: perSecond("errors"), color: "red" },
      ],
    }),
  };
}

function timeCharts() {
  const spread = (of) =>
    [["p50", "blue"], ["p95", "teal"], ["p99", "orange"], ["max", "grey", { off: true }]].map(
      ([name, color, more]) => ({ name, of: times(of, name), color, ...more }),
    );
  return {
    http: new Chart(timeline, {
      title: "Time of successful requests",
      unit: "time",
      log: true,
      empty: "no request was answered",
      lines: spread("http"),
    }),
    journeys: new Chart(timeline, {
      title: "Time of completed journeys",
      unit: "time",
      log: true,
      empty: "no journey was completed",
      lines: [
        ...spread("response_time"),
        {
          name: "service time p99",
          of: times("service_time", "p99"),
          color: "violet",
          dashed: true,
          title: "From the actual start, without what starts waited",
        },
      ],
    }),
  };
}

function hideEmpty(charts, points) {
  const any = (name) => points.some((point) => point[name] > 0);
  const requests = any("requests");
  for (const name of ["requests", "http"]) charts[name].element.hidden = !requests;
  charts.journeys.element.hidden = !points.some((point) => point.response_time?.p50 !== undefined);
  charts.errors.element.hidden = !any("failed_requests") && !any("errors");
}

function courseRemark(report) {
  const told = [
    `Second by second, by age of the run, which began ${words.moment(report.started)}.`,
    report.series.warm_up_seconds > 0
      ? "The shaded seconds are the warm-up, which counts in no total."
      : "",
  ];
  const changes = (report.volume_changes ?? [])
    .slice(0, 20)
    .map(({ at, factor }) => `${words.percent(factor)} at ${words.clock(at)}`);
  if (changes.length > 0) told.push(`The volume of the plan was changed: ${changes.join(", ")}.`);
  // Users start journeys too, and nothing was due for these.
  const closed = report.journeys.some((row) => row.started > 0 && row.start_delay.count === 0);
  if (closed && report.series.points.some((point) => point.planned_starts > 0))
    told.push("Starts are asked for in the open model only; users start journeys besides.");
  return told.filter(Boolean).join(" ");
}

// Moments at which something happened to the run.
function courseMarks(report) {
  const changes = (report.volume_changes ?? []).map(({ at, factor }) => ({
    at,
    name: `volume ${words.percent(factor)}`,
    style: "edge",
  }));
  const broken = report.thresholds
    .filter(({ broke_at: at }) => typeof at === "number")
    .map(({ broke_at: at, expression }) => ({ at, name: `broken: ${expression}`, style: "bound" }));
  return [...changes, ...broken];
}

// Thresholds that are limits of times which a chart shows, over all requests or journeys.
function boundsOf(report, subject) {
  const factor = { ns: 1e-9, us: 1e-6, µs: 1e-6, μs: 1e-6, ms: 1e-3, s: 1, m: 60 };
  return report.thresholds.flatMap(({ expression }) => {
    const found = expression.match(
      /^\s*(\w+)\.(p50|p95|p99|max)\s*<=?\s*([\d.]+)\s*(ns|us|µs|μs|ms|s|m)\b/,
    );
    return found && found[1] === subject
      ? [{ value: Number(found[3]) * factor[found[4]], name: expression }]
      : [];
  });
}

function distributionPart() {
  const distribution = new Distribution();
  const built = part("distribution", "Distribution of times", distribution.element);
  built.update = (report, names) => {
    // It is as wide as its place, which it has when it is seen.
    built.element.hidden = false;
    built.element.hidden = !distribution.update(report, names);
  };
  return built;
}
