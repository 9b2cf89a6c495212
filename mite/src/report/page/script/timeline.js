// What charts over time have in common: the seconds of the run, the part of it that is shown, and
// the moment that is looked at.

class Timeline {
  constructor() {
    this.charts = [];
    this.points = [];
    this.spans = [];
    this.marks = [];
    this.interval = 1;
    this.warmUp = 0;
    this.zoom = null;
    this.index = null;
    this.legends = true;
    this.back = make("button", {
      type: "button",
      class: "small",
      hidden: true,
      onclick: () => this.show(null),
    });
  }

  update(report) {
    const { points, interval_seconds: interval, warm_up_seconds: warmUp = 0 } = report.series;
    this.points = points;
    this.interval = interval || 1;
    this.warmUp = warmUp;
    this.started = Date.parse(report.started);
    this.spans = stageSpans(points, this.interval);
    this.render();
  }

  // All of the run that has points.
  get whole() {
    const last = this.points.at(-1)?.at ?? this.interval;
    const first = this.points[0]?.at ?? this.interval;
    return [Math.min(0, first - this.interval), Math.max(last, this.interval)];
  }

  get range() {
    return this.zoom ?? this.whole;
  }

  // The points in the part that is shown, and one beyond it to either side for lines to go to.
  get visible() {
    const [from, until] = this.range;
    const first = Math.max(0, this.lowest(from) - 1);
    return this.points.slice(first, this.lowest(until) + 2);
  }

  // The first point that is not before this age.
  lowest(at) {
    let low = 0;
    let high = this.points.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.points[middle].at < at) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  nearest(at) {
    const after = Math.min(this.lowest(at), this.points.length - 1);
    const before = Math.max(0, after - 1);
    return at - this.points[before]?.at < this.points[after]?.at - at ? before : after;
  }

  show(range) {
    this.zoom = range && range[1] - range[0] >= 2 * this.interval ? range : null;
    this.back.hidden = this.zoom === null;
    if (this.zoom) this.back.textContent = `${this.zoom.map(words.clock).join(" to ")}: show all`;
    this.look(null);
    this.render();
  }

  // Looks at a point, in all charts; the tip with all values is shown in one of them. Legends tell
  // their values too, unless they must not grow because something below them is pointed at.
  look(index, chart = null, legends = true) {
    this.legends = legends;
    this.index =
      index === null || this.points.length === 0
        ? null
        : Math.min(Math.max(index, 0), this.points.length - 1);
    this.looking = chart;
    for (const each of this.charts) each.look(each === chart);
  }

  // What is called the moment of a point.
  moment(point) {
    const clock = new Date(this.started + point.at * 1000);
    const utc = Number.isNaN(clock.getTime()) ? "" : ` · ${clock.toISOString().slice(11, 19)} UTC`;
    return words.clock(point.at) + utc;
  }

  render() {
    for (const chart of this.charts) chart.render();
  }
}

// Where stages begin and end, as the points tell.
function stageSpans(points, interval) {
  const spans = [];
  for (const point of points) {
    const last = spans.at(-1);
    if (last && last.name === point.stage) last.until = point.at;
    else spans.push({ name: point.stage, from: point.at - interval, until: point.at });
  }
  return spans.filter((span) => span.name !== null);
}
