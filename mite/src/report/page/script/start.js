// Puts the page together and shows the report that is in it, or else the one of the run under way.

// The report of a text; a seed may be larger than the numbers of the language are exact.
function parseReport(text) {
  const report = JSON.parse(text);
  const seed = text.match(/"seed":\s*(\d+)/);
  if (seed && report.seed !== undefined) report.seed = seed[1];
  return report;
}

function start() {
  const page = document.getElementById("page");
  const embedded = document.getElementById("report").textContent.trim();
  const name = make("h1");
  const when = make("p", { class: "quiet" });
  const links = make("nav", { "aria-label": "Parts of this page" });
  const parts = [
    verdictPart(),
    coursePart(),
    namesPart(),
    distributionPart(),
    journeysPart(),
    transactionsPart(),
    requestsPart(),
    phasesPart(),
    errorsPart(),
    generatorPart(),
    stagesPart(),
    findingsPart(),
    metricsPart(),
    settingsPart(),
  ];
  const header = make("header", { class: "top" }, name, when);
  page.append(header, links, ...parts.map((part) => part.element));

  function show(report, running) {
    const names = shortNames(report);
    const verdict = running ? "running" : report.verdict;
    document.title = `${verdict}: ${words.cut(report.scenario, 100)}`;
    name.textContent = report.scenario;
    const lasted = words.span(report.duration_seconds);
    when.textContent = `Load test of ${words.moment(report.started)}, ${lasted}`;
    for (const part of parts) part.update(report, names, running);
    const shown = parts.filter((part) => !part.element.hidden);
    links.replaceChildren(...shown.map((part) => make("a", { href: "#" + part.id }, part.short)));
  }

  if (embedded !== "") {
    show(parseReport(embedded), false);
    return;
  }
  for (const part of parts) part.element.hidden = true;
  name.textContent = "Load test";
  const live = new Live((report, running) => {
    parts[0].element.hidden = false;
    for (const id of ["generator", "configuration"]) document.getElementById(id).hidden = false;
    show(report, running);
  });
  header.append(live.element);
  live.follow();
}

start();
