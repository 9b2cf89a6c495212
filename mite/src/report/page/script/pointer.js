// Pointing at a chart over time, with the mouse, a finger or the keyboard.

function listen(chart) {
  let start = null;
  const age = (event) =>
    chart.ageAt(
      ((event.clientX - chart.svg.getBoundingClientRect().left) / chart.svg.clientWidth) *
        chart.width,
    );
  const svg = chart.svg;
  svg.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "mouse" && event.button === 0 && chart.ageAt) start = age(event);
  });
  svg.addEventListener("pointermove", (event) => {
    if (!chart.ageAt) return;
    chart.timeline.look(chart.timeline.nearest(age(event)), chart);
    if (start === null) return;
    if (event.buttons === 0) start = null;
    for (const each of chart.timeline.charts) {
      each.pick(start === null ? null : [start, age(event)]);
    }
  });
  const end = (event) => {
    const range = start === null ? null : [start, age(event)].sort((one, other) => one - other);
    start = null;
    for (const each of chart.timeline.charts) each.pick(null);
    const [from, until] = chart.timeline.range;
    if (range && range[1] - range[0] > (until - from) / 50)
      chart.timeline.show([Math.max(range[0], from), Math.min(range[1], until)]);
  };
  svg.addEventListener("pointerup", end);
  svg.addEventListener("dblclick", () => chart.timeline.show(null));
  svg.addEventListener("pointerleave", (event) => {
    if (event.buttons === 0) chart.timeline.look(null);
  });
  svg.addEventListener("blur", () => chart.timeline.look(null));
  svg.addEventListener("keydown", (event) => pressed(chart, event));
}

function pressed(chart, event) {
  const { timeline } = chart;
  const step = event.shiftKey ? 10 : 1;
  const [from, until] = timeline.range;
  const first = timeline.lowest(from);
  const last = Math.min(timeline.lowest(until), timeline.points.length - 1);
  const here = timeline.index;
  const to = {
    ArrowRight: here === null ? first : Math.min(last, here + step),
    ArrowLeft: here === null ? last : Math.max(first, here - step),
    Home: first,
    End: last,
  }[event.key];
  if (event.key === "Escape") timeline.show(null);
  else if (to === undefined) return;
  else {
    timeline.look(to, chart);
    chart.told.textContent = chart.tip.textContent;
  }
  event.preventDefault();
}
