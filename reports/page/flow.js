// Draws gradient flow: for each network the norm of dh_T/dh_k over T-k, beside its bound, on a
// logarithmic scale that the networks of a cell share. Stands behind page.js in the same script and
// gets its tools from there.

function drawFlow(figure, charts, { css, digits, draw, element, linearAxis, logAxis, panel, ticks }) {
  const { title, networks } = charts[Number(figure.dataset.name)];
  const kinds = [
    { name: "|dh_T/dh_k|", column: 1, color: "--series-1", type: "solid", width: 2 },
    { name: "|dh_T/dc_k|", column: 2, color: "--series-3", type: "solid", width: 2 },
    { name: "bound", column: 3, color: "--quiet", type: "dashed", width: 1.5 },
  ];
  const values = (column) => networks.flatMap((network) => network.points.map((point) => point[column]))
    .filter((value) => value !== null);
  const norms = [...values(1), ...values(2)];
  if (norms.length === 0) return figure.remove();
  // A bound may lie many decades above: the scale is that of the norms, with some room.
  const low = Math.max(Math.min(...norms), 1e-60) / 3, high = Math.max(...norms, 1) * 100;
  const wanted = ticks(low, high);
  const every = Math.ceil(wanted.length / 8);
  const labelled = wanted.filter((value) => Math.round(Math.log10(value)) % every === 0);
  const power = (value) => value.toExponential(0).replace("e+", "e");

  const panels = element("div", { className: "panels" });
  figure.replaceChildren(panels);
  for (const network of networks) {
    const shown = kinds.filter((kind) => network.points.some((point) => point[kind.column] !== null));
    draw(panel(panels, `${title}, ${network.name}${network.holds ? "" : ": the bound is violated"}`), {
      grid: { left: 8, right: 16, top: 34, bottom: 26, containLabel: true },
      legend: { top: 0, right: 8, textStyle: { color: css("--ink"), fontSize: 11 }, itemHeight: 8, itemWidth: 18 },
      xAxis: linearAxis(String, { name: "T − k, steps back in time", nameLocation: "middle", nameGap: 24,
        min: 0, max: "dataMax", splitLine: { show: false } }),
      yAxis: logAxis(low, high, labelled, power),
      tooltip: { trigger: "axis", valueFormatter: (value) => value === undefined ? "–" : digits(value) },
      series: shown.map((kind) => ({
        type: "line", name: kind.name, showSymbol: false, color: css(kind.color),
        lineStyle: { width: kind.width, type: kind.type },
        data: network.points.filter((point) => point[kind.column] !== null)
          .map((point) => [point[0], point[kind.column]]),
      })),
    });
  }
}
