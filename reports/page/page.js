// Draws the charts and adds the choices. Everything shown was computed before; this file chooses and
// draws. Without it, or without Apache ECharts, the page still has all of its tables.
"use strict";

(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const symbols = ["circle", "rect", "triangle", "diamond", "pin", "arrow", "roundRect", "circle"];
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const color = (backend) => css(`--series-${data.backends.indexOf(backend) % symbols.length}`);
  const symbol = (backend) => symbols[data.backends.indexOf(backend) % symbols.length];

  // ---- Text ----

  const digits = (value) => {
    if (value === null || !isFinite(value)) return "–";
    const size = Math.abs(value);
    if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(1);
    return String(Number(value.toPrecision(3)));
  };
  const duration = (seconds) => {
    if (seconds === null) return "–";
    const [size, unit] = [[1, "s"], [1e-3, "ms"], [1e-6, "µs"], [1e-9, "ns"]]
      .find(([least]) => seconds >= least * 0.9995) ?? [1e-9, "ns"];
    return `${digits(seconds / size)} ${unit}`;
  };
  const times = (ratio) => `${digits(ratio)}×`;

  /// Of a ratio [value, low, high, rounds].
  const interval = ([, low, high, rounds]) =>
    `${low === high ? "" : `${times(low)} to ${times(high)}, `}${rounds === 0 ? "unpaired" : `${rounds} rounds`}`;

  const element = (tag, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };
  const distinct = (values) => [...new Set(values)];

  /// A labelled <select>; `changed` gets the new value.
  const choice = (label, values, value, changed) => {
    const select = element("select", {}, ...values.map((v) => element("option", { value: v }, v)));
    select.value = value;
    select.addEventListener("change", () => changed(select.value));
    return element("label", {}, label, select);
  };

  // ---- Axes ----

  /// Round values from low to high, about as many as can be read.
  const ticks = (low, high) => {
    const decades = Math.log10(high / low);
    const steps = decades > 4 ? [1] : decades > 1.5 ? [1, 3] : decades > 0.5 ? [1, 2, 5]
      : [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8];
    const values = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); ++power) {
      for (const step of steps) {
        const value = Number((step * 10 ** power).toPrecision(3));
        if (value >= low && value <= high) values.push(value);
      }
    }
    return values;
  };

  /// The widest of the texts, in pixels, as axis labels and line ends are set.
  const textWidth = (texts) => {
    const pen = document.createElement("canvas").getContext("2d");
    pen.font = `600 11px ${getComputedStyle(document.body).fontFamily}`;
    return Math.ceil(Math.max(...texts.map((text) => pen.measureText(text).width)));
  };

  const axisStyle = () => ({
    axisLine: { lineStyle: { color: css("--line") } },
    axisLabel: { color: css("--quiet"), fontSize: 11, hideOverlap: true },
    nameTextStyle: { color: css("--quiet"), fontSize: 11 },
    splitLine: { lineStyle: { color: css("--line"), opacity: 0.6 } },
  });

  /// A logarithmic axis labelled at `at`.
  const logAxis = (low, high, at, format, more = {}) => {
    const style = axisStyle();
    return {
      ...style, type: "log", min: low, max: high, ...more,
      axisLabel: { ...style.axisLabel, customValues: at, formatter: format },
      axisTick: { customValues: at, show: false },
      splitLine: { show: false },
    };
  };

  const linearAxis = (format, more = {}) => {
    const style = axisStyle();
    return { ...style, type: "value", ...more,
      axisLabel: { ...style.axisLabel, formatter: format, ...more.axisLabel } };
  };

  /// The axis of measured values: logarithmic, or from zero.
  const valueAxis = (values, format, logarithmic) => {
    if (!logarithmic) return linearAxis(format, { min: 0 });
    const low = Math.min(...values), high = Math.max(...values);
    const from = low / 1.3, to = high * 1.3;
    return { ...logAxis(from, to, ticks(from, to), format), splitLine: axisStyle().splitLine };
  };

  /// The axis of a swept extent: labelled with the values that were measured.
  const extentAxis = (values, title) => {
    const low = values[0], high = values[values.length - 1];
    const name = { name: title, nameLocation: "middle", nameGap: 24 };
    return logAxis(low / (high / low) ** 0.03, high * (high / low) ** 0.03, values, String,
      { ...name, logBase: 2 });
  };

  // ---- Charts ----

  const drawn = new Map();  // element -> chart

  const draw = (plot, option) => {
    drawn.get(plot)?.dispose();
    const chart = echarts.init(plot, null, { renderer: "svg" });
    drawn.set(plot, chart);
    chart.setOption({
      animation: false,
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
      ...option,
      tooltip: {
        confine: true, backgroundColor: css("--panel"), borderColor: css("--line"),
        textStyle: { color: css("--ink"), fontSize: 12 }, ...option.tooltip,
      },
    });
    resizing.observe(plot);
  };
  const resizing = new ResizeObserver((entries) => {
    for (const entry of entries) drawn.get(entry.target)?.resize();
  });

  const panel = (into, title) => {
    const plot = element("div", { className: "plot" });
    plot.setAttribute("role", "img");
    plot.setAttribute("aria-label", `Chart: ${title}. The table below holds the same figures.`);
    into.append(element("div", { className: "panel" }, element("h4", {}, title), plot));
    return plot;
  };

  /// The interval [low, high] of each point [x, low, high]; `across` where values run along x.
  const whiskers = (name, points, across) => ({
    type: "custom", name, silent: true, z: 1, encode: across ? { x: [1, 2], y: 0 } : { x: 0, y: [1, 2] },
    data: points,
    renderItem: (_, api) => {
      const end = (i) => api.coord(across ? [api.value(i), api.value(0)] : [api.value(0), api.value(i)]);
      const [a, b] = [end(1), end(2)];
      return { type: "line", shape: { x1: a[0], y1: a[1], x2: b[0], y2: b[1] },
        style: { stroke: color(name), lineWidth: 1.5, opacity: 0.55 } };
    },
  });

  const endLabel = () => ({ show: true, formatter: "{a}", fontSize: 11, lineHeight: 15, padding: [2, 0] });

  /// Lines named at their ends, so that no legend has to be looked up.
  const line = (name, backend, points, more = {}) => ({
    type: "line", name, data: points, symbol: symbol(backend), symbolSize: 8, color: color(backend),
    lineStyle: { width: 2 }, emphasis: { focus: "series" },
    endLabel: { ...endLabel(), color: color(backend), fontWeight: 600 },
    labelLayout: { moveOverlap: "shiftY" }, ...more,
  });

  const measures = (axis) => [
    { title: "Time per call", value: (p) => p.seconds, span: (p) => [p.min, p.max],
      format: duration, logarithmic: true, detail: (p) => `${duration(p.min)} to ${duration(p.max)}, n=${p.n}` },
    { title: "GFLOP/s", value: (p) => p.gflops, format: digits, peak: true },
    axis.name === "threads"
      ? { title: "Speed over that of the fewest threads", value: (p) => p.scaling, format: times }
      : { title: `Speed-up over ${data.baseline}`, value: (p) => p.speedup?.[0] ?? null,
          span: (p) => p.speedup && [p.speedup[1], p.speedup[2]], format: times, logarithmic: true,
          detail: (p) => p.speedup && interval(p.speedup) },
  ];

  const drawMeasure = (into, axis, sweep, measure) => {
    const has = (p) => measure.value(p) !== null;
    const series = Object.entries(sweep.series)
      .map(([backend, points]) => [backend, points.filter(has)])
      .filter(([, points]) => points.length > 0);
    if (series.length === 0) return;
    const all = series.flatMap(([, points]) => points);
    const extents = distinct(all.map((p) => p.x)).sort((a, b) => a - b);
    const peaks = measure.peak
      ? extents.map((x) => [x, all.find((p) => p.x === x).peak]).filter(([, peak]) => peak !== null)
      : [];
    const values = [...all.map(measure.value), ...peaks.map(([, peak]) => peak)];
    const names = [...series.map(([backend]) => backend), ...(peaks.length ? ["GEMM peak"] : [])];
    draw(panel(into, measure.title), {
      grid: { left: 8, right: 16 + textWidth(names), top: 14, bottom: 26, containLabel: true },
      xAxis: extentAxis(extents, axis.title),
      yAxis: valueAxis(values, measure.format, measure.logarithmic),
      tooltip: {
        trigger: "item",
        formatter: (hit) => {
          const point = hit.data.point;
          const box = element("div", {}, element("b", {}, hit.seriesName), ` ${axis.name}=${hit.data.value[0]}: `,
            measure.format(hit.data.value[1]));
          const detail = point && measure.detail?.(point);
          if (detail) box.append(element("br"), detail);
          return box;
        },
      },
      series: [
        ...series.map(([backend, points]) => line(backend, backend,
          points.map((point) => ({ value: [point.x, measure.value(point)], point })))),
        ...(measure.span ? series.map(([backend, points]) => whiskers(backend,
          points.filter(measure.span).map((p) => [p.x, ...measure.span(p)]), false)) : []),
        ...(peaks.length ? [{
          type: "line", name: "GEMM peak", data: peaks.map((value) => ({ value })), symbol: "none",
          color: css("--quiet"), lineStyle: { type: "dashed", width: 1.5 },
          endLabel: { ...endLabel(), color: css("--quiet") },
          labelLayout: { moveOverlap: "shiftY" },
        }] : []),
      ],
    });
  };

  // ---- Sweeps ----

  const families = data.axes.flatMap((axis) => axis.sweeps);
  const fields = ["cell", "dtype", "phase"];
  /// How much there is to see in a sweep.
  const weight = (sweep) => Object.values(sweep.series).reduce((sum, points) => sum + points.length, 0);
  const heaviest = (sweeps) => sweeps.reduce((best, sweep) => weight(sweep) > weight(best) ? sweep : best);
  const chosen = { fixed: {} };
  if (families.length > 0) {
    const steps = families.filter((sweep) => sweep.phase === "train_step");
    const first = heaviest(steps.length > 0 ? steps : families);
    for (const field of fields) chosen[field] = first[field];
  }

  const drawSweep = (figure) => {
    const axis = data.axes.find((one) => one.name === figure.dataset.name);
    const matching = axis.sweeps.filter((sweep) => fields.every((field) => sweep[field] === chosen[field]));
    if (matching.length === 0) {
      const wanted = fields.map((field) => chosen[field]).join(", ");
      figure.replaceChildren(element("p", { className: "quiet" }, `Not swept for ${wanted}.`));
      return;
    }
    const sweep = matching.find((one) => one.fixed === chosen.fixed[axis.name]) ?? heaviest(matching);
    const bar = element("div", { className: "toolbar" });
    if (matching.length > 1) {
      bar.append(choice("with", matching.map((one) => one.fixed), sweep.fixed, (value) => {
        chosen.fixed[axis.name] = value;
        drawSweep(figure);
      }));
    } else {
      bar.append(element("span", { className: "quiet" }, `with ${sweep.fixed}`));
    }
    const panels = element("div", { className: "panels" });
    figure.replaceChildren(bar, panels);
    for (const measure of measures(axis)) drawMeasure(panels, axis, sweep, measure);
  };

  const sweepFigures = () => [...document.querySelectorAll("figure[data-kind=sweep]")];

  const offerSweepChoices = () => {
    const bar = document.getElementById("sweep-choice");
    for (const field of fields) {
      const values = distinct(families.map((sweep) => sweep[field]));
      if (values.length < 2) continue;
      bar?.append(choice(field, values, chosen[field], (value) => {
        chosen[field] = value;
        sweepFigures().forEach(drawSweep);
      }));
    }
  };

  // ---- Speed-up of every case ----

  /// One of `sets` of ratios: [{ name, cases: [{ label, gains: { backend: ratio } }] }].
  const drawRatios = (figure, sets, label, title, name = sets[0]?.name) => {
    const found = sets.find((one) => one.name === name);
    if (!found) return figure.remove();
    figure.replaceChildren();
    if (sets.length > 1) {
      figure.append(element("div", { className: "toolbar" },
        choice(label, sets.map((one) => one.name), name, (value) => drawRatios(figure, sets, label, title, value))));
    }
    const panels = element("div", { className: "tall" });
    figure.append(panels);
    const plot = panel(panels, `${title}, ${name}`);
    plot.style.height = `${90 + 24 * found.cases.length}px`;
    const backends = data.backends.filter((name) => found.cases.some((one) => one.gains[name]));
    const values = found.cases.flatMap((one) => Object.values(one.gains).map(([value]) => value));
    const low = Math.min(0.8, ...values) / 1.1, high = Math.max(1.25, ...values) * 1.2;
    const style = axisStyle();
    const points = (name) => found.cases.flatMap((one, row) =>
      one.gains[name] ? [{ value: [one.gains[name][0], row], gain: one.gains[name] }] : []);
    draw(plot, {
      grid: { left: 16 + textWidth(found.cases.map((one) => one.label)), right: 24, top: 56, bottom: 8 },
      legend: { data: backends, top: 0, right: 8, textStyle: { color: css("--ink") }, itemHeight: 9, itemWidth: 9 },
      xAxis: { ...logAxis(low, high, ticks(low, high), times), position: "top" },
      yAxis: { ...style, type: "category", inverse: true, data: found.cases.map((one) => one.label),
        axisTick: { show: false }, splitLine: { show: true, ...style.splitLine },
        axisLabel: { ...style.axisLabel, interval: 0, hideOverlap: false } },
      tooltip: {
        trigger: "item",
        formatter: (hit) => {
          return element("div", {}, element("b", {}, hit.seriesName), ` ${found.cases[hit.data.value[1]].label}`,
            element("br"), `${times(hit.data.gain[0])}, ${interval(hit.data.gain)}`);
        },
      },
      series: backends.flatMap((name, i) => [
        { type: "scatter", name, data: points(name), symbol: symbol(name), symbolSize: 9, color: color(name),
          itemStyle: { opacity: 1 },
          markLine: i > 0 ? undefined : { silent: true, symbol: "none", label: { show: false },
            lineStyle: { color: css("--quiet"), type: "dashed" }, data: [{ xAxis: 1 }] } },
        whiskers(name, points(name).map(({ value, gain }) => [value[1], gain[1], gain[2]]), true),
      ]),
    });
  };

  const drawSpeedups = (figure) => drawRatios(figure, data.phases.map((one) => ({ name: one.phase, cases: one.cases })),
    "phase", `Time of ${data.baseline} over time of each backend`);
  const drawPeers = (figure) => drawRatios(figure, data.peers, "threads", "Time of each peer over time of ours");

  // ---- Trainings ----

  const drawTraining = (figure) => {
    const training = data.trainings[Number(figure.dataset.name)];
    const panels = element("div", { className: "panels" });
    figure.replaceChildren(panels);
    const elapsed = training.curves.flatMap((curve) => curve.points.map((p) => p[2]));
    const [least, most] = [Math.min(...elapsed), Math.max(...elapsed)];
    const named = (name) => ({ name, nameLocation: "middle", nameGap: 24 });
    const views = [
      ["against training step", 0,
        linearAxis(String, { ...named("training step"), min: "dataMin", max: "dataMax", splitLine: { show: false } })],
      ["against time", 2, logAxis(least, most * 1.02, ticks(least, most), duration, named("time of training"))],
    ];
    for (const [title, column, axis] of views) {
      const losses = training.curves.flatMap((curve) => curve.points.map((p) => p[1])).filter((v) => v !== null);
      if (losses.length === 0) continue;
      draw(panel(panels, `Loss in nats per character ${title}: ${training.title}`), {
        grid: { left: 8, right: 24, top: 36, bottom: 26, containLabel: true },
        legend: { top: 0, right: 8, textStyle: { color: css("--ink") }, icon: "rect", itemHeight: 4, itemWidth: 16 },
        xAxis: axis,
        yAxis: linearAxis(digits, { scale: true }),
        tooltip: { trigger: "axis", valueFormatter: (value) => value?.toFixed(4) ?? "–", order: "valueAsc" },
        // Curves that agree lie on each other: each later one is dashed, and the former shows through.
        series: training.curves.map((curve, i) => line(curve.name, curve.backend,
          curve.points.map((p) => [p[column], p[1]]), {
            showSymbol: false, endLabel: { show: false },
            lineStyle: { width: column === 0 && i === 0 ? 4 : 2, type: column === 0 && i > 0 ? [6, 4 + 3 * i] : "solid",
              opacity: column === 0 && i === 0 ? 0.55 : 1 },
          })),
      });
    }
  };

  // ---- Tables: show the rows of one value only ----

  const offerRows = (table) => {
    const rows = [...table.tBodies[0].rows];
    if (rows.length < 8) return;
    const bar = element("div", { className: "toolbar" });
    const wanted = new Map();
    const everything = "all";
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const text = (row) => row.cells[column].textContent;
      const values = distinct(rows.map(text));
      if (!("selectable" in head.dataset) || values.length < 2 || values.length > 60) return;
      bar.append(choice(head.textContent, [everything, ...values], everything, (value) => {
        wanted.set(column, value);
        for (const row of rows) {
          row.hidden = [...wanted].some(([at, v]) => v !== everything && row.cells[at].textContent !== v);
        }
      }));
    });
    if (bar.children.length > 0) table.parentElement.before(bar);
  };

  // ---- The page ----

  const drawAll = () => {
    sweepFigures().forEach(drawSweep);
    document.querySelectorAll("figure[data-kind=speedups]").forEach(drawSpeedups);
    document.querySelectorAll("figure[data-kind=peers]").forEach(drawPeers);
    document.querySelectorAll("figure[data-kind=lengths]").forEach((figure) => drawLengths(figure, data.lengths,
      { choice, css, digits, draw, duration, element, line, logAxis, panel, textWidth, ticks, times, valueAxis }));
    document.querySelectorAll("figure[data-kind=training]").forEach(drawTraining);
    document.querySelectorAll("figure[data-kind=flow]").forEach((figure) => drawFlow(figure, data.flow,
      { css, digits, draw, element, linearAxis, logAxis, panel, ticks }));
  };

  document.querySelectorAll("table").forEach(offerRows);
  addEventListener("beforeprint", () => {
    for (const part of document.querySelectorAll("details")) part.open = true;
  });
  if (typeof echarts === "undefined") return;
  document.documentElement.classList.add("drawn");
  offerSweepChoices();
  drawAll();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
})();
