// Draw the charts of a report. Each one follows its element as JSON; nothing of it is executed as a script.
(() => {
  "use strict";
  const config = {
    background: null,
    font: "system-ui, -apple-system, 'Segoe UI', sans-serif",
    view: { stroke: null },
    axis: { labelFontSize: 11, titleFontSize: 11, titleFontWeight: 500, titlePadding: 8, tickSize: 4 },
    legend: { labelFontSize: 11, titleFontSize: 11, titleFontWeight: 500, symbolSize: 80, symbolOpacity: 1 },
    aria: false,
  };

  // The rows of a chart are packed as columns: a list of values, or distinct values and the index of each element among them,
  // with one digit, or two if there are more values than digits.
  const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";
  function unpackColumn(column) {
    if (Array.isArray(column)) return column;
    const places = [...column.index].map((digit) => DIGITS.indexOf(digit));
    if (column.values.length <= DIGITS.length) return places.map((place) => column.values[place]);
    return Array.from({ length: places.length / 2 }, (_, i) => column.values[DIGITS.length * places[2 * i] + places[2 * i + 1]]);
  }

  function unpack(spec) {
    const { names, columns: packed } = spec.data ?? {};
    if (names) {
      const columns = packed.map(unpackColumn);
      const values = (columns[0] ?? []).map((_, i) => Object.fromEntries(names.map((name, j) => [name, columns[j][i]])));
      spec.data = { values };
    }
    (spec.layer ?? []).forEach(unpack);
    return spec;
  }

  async function draw(element, spec) {
    if (spec.usermeta?.aspect) { // a map: as many metres a pixel in both directions, beside the axis
      spec.height = Math.min(900, Math.max(160, (element.clientWidth - 60) * spec.usermeta.aspect));
    }
    const narrow = element.clientWidth < 420 && { axisX: { titleAnchor: "end", titleAlign: "right" } }; // room for long titles
    const compiled = vegaLite.compile(unpack(spec), { config: { ...config, ...narrow } });
    const view = new vega.View(vega.parse(compiled.spec, null, { ast: true }), {
      expr: expressionInterpreter,
      renderer: "svg",
      container: element,
      hover: true,
      loader: { load: () => Promise.reject(new Error("a report loads nothing")), sanitize: () => Promise.reject(new Error("no links")) },
    });
    await view.runAsync();
    await view.resize().runAsync(); // the columns of a legend depend on the width, which is known only now
    element.querySelector("svg").setAttribute("aria-hidden", "true"); // the element has a label, and the table the figures
    element.dataset.drawn = "true";
  }

  function drawAll() {
    const waiting = [...document.querySelectorAll("script.spec")];
    const next = async () => {
      const data = waiting.shift();
      if (!data) {
        document.documentElement.dataset.ready = "true";
        return;
      }
      try {
        await draw(data.previousElementSibling, JSON.parse(data.textContent));
      } catch (error) {
        data.previousElementSibling.textContent = "This chart cannot be drawn; its table has the figures.";
        console.error(error);
      }
      setTimeout(next, 0);
    };
    next();
  }

  const closed = new Set();
  window.addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details:not([open])")) {
      closed.add(details);
      details.open = true;
    }
  });
  window.addEventListener("afterprint", () => {
    for (const details of closed) details.open = false;
    closed.clear();
  });
  drawAll();
})();
