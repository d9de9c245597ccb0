// Draws time against the share of live steps: for one shape at a time the time of each backend, and
// that time over the backend's own where all sequences are full. Stands behind page.js in the same
// script and gets its tools from there.

function drawLengths(figure, sets, tools, wanted) {
  const { choice, css, digits, draw, duration, element, line, logAxis, panel, textWidth, ticks, times, valueAxis } = tools;
  const families = sets.find((set) => set.phase === figure.dataset.name)?.families ?? [];
  const family = families.find((one) => one.title === wanted) ?? families[0];
  if (!family) return figure.remove();
  figure.replaceChildren();
  if (families.length > 1) {
    figure.append(element("div", { className: "toolbar" }, choice("shape", families.map((one) => one.title),
      family.title, (title) => drawLengths(figure, sets, tools, title))));
  }
  const panels = element("div", { className: "panels" });
  figure.append(panels);

  const percent = (share) => `${digits(100 * share)} %`;
  const all = Object.values(family.series).flat();
  const shares = all.map((point) => point.x);
  const low = Math.min(...shares) / 1.1, high = 1.1;
  const views = [
    { title: "Time per call", value: (point) => point.seconds, format: duration,
      detail: (point) => `${duration(point.min)} to ${duration(point.max)}` },
    { title: "Time over the same backend's full-length time", value: (point) => point.ratio, format: times, ideal: true,
      detail: (point) => `${times(point.ratio / point.x)} the ideal` },
  ];
  for (const view of views) {
    const series = Object.entries(family.series)
      .map(([backend, points]) => [backend, points.filter((point) => view.value(point) !== null)])
      .filter(([, points]) => points.length > 0);
    if (series.length === 0) continue;
    const values = series.flatMap(([, points]) => points.map(view.value));
    const ideal = view.ideal ? [[low, low], [1, 1]] : [];
    const names = [...series.map(([backend]) => backend), ...(view.ideal ? ["ideal"] : [])];
    draw(panel(panels, `${view.title}: ${family.title}`), {
      grid: { left: 8, right: 16 + textWidth(names), top: 14, bottom: 26, containLabel: true },
      xAxis: logAxis(low, high, ticks(low, high), percent,
        { name: "steps that are live", nameLocation: "middle", nameGap: 24 }),
      yAxis: valueAxis([...values, ...ideal.map(([, y]) => y)], view.format, true),
      tooltip: {
        trigger: "item",
        formatter: (hit) => {
          const point = hit.data.point;
          if (!point) return element("div", {}, "ideal: the share of live steps");
          return element("div", {}, element("b", {}, hit.seriesName),
            ` ${point.spread}, ${percent(point.x)} live${point.padded ? ", padded" : ""}: ${view.format(view.value(point))}`,
            element("br"), view.detail(point));
        },
      },
      series: [
        ...series.map(([backend, points]) => line(backend, backend,
          points.map((point) => ({ value: [point.x, view.value(point)], point })).reverse())),
        ...(view.ideal ? [{
          type: "line", name: "ideal", data: ideal.map((value) => ({ value })), symbol: "none", color: css("--quiet"),
          lineStyle: { type: "dashed", width: 1.5 },
          endLabel: { show: true, formatter: "{a}", fontSize: 11, lineHeight: 15, padding: [2, 0], color: css("--quiet") },
          labelLayout: { moveOverlap: "shiftY" },
        }] : []),
      ],
    });
  }
}
