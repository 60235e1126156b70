// Draw one of several ladders from the JSON in the page. Names become text nodes, and nothing else.
(() => {
  "use strict";
  const { timelines, chosen } = JSON.parse(document.getElementById("data").textContent);
  const SVG = "http://www.w3.org/2000/svg";
  const TOP = 44, LEFT = 86, ROW = 26, RIGHT = 150;
  const CLEAR = 4; // pixels between the lines of packets
  const by = (id) => document.getElementById(id);
  const state = { index: chosen, zoom: 1, toScale: false, hidden: new Set() };

  function make(name, attributes = {}, text = null, parent = null) {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== null) element.textContent = text;
    if (parent) parent.append(element);
    return element;
  }

  const ms = (value) => `${value.toFixed(3)} ms`;

  // Map a time to a height. In order: each distinct time of a message or event has a row; other times lie in between.
  function heights(ladder) {
    if (state.toScale) {
      const factor = (600 * state.zoom) / Math.max(ladder.end, 1e-6);
      return { y: (time) => TOP + 14 + time * factor, bottom: TOP + 28 + ladder.end * factor };
    }
    const times = ladder.messages.flatMap((m) => [m.sent, ...(m.arrival === null ? [] : [m.arrival])]);
    const rows = [0, ...[...times, ...ladder.events.map((e) => e.time)].sort((a, b) => a - b), ladder.end];
    const distinct = rows.filter((time, i) => i === 0 || time > rows[i - 1]);
    const step = ROW * state.zoom * 0.8;
    const y = (time) => {
      let low = 0, high = distinct.length - 1;
      if (time <= distinct[0]) return TOP + 14;
      if (time >= distinct[high]) return TOP + 14 + high * step;
      while (high - low > 1) {
        const middle = (low + high) >> 1;
        if (distinct[middle] <= time) low = middle; else high = middle;
      }
      return TOP + 14 + (low + (time - distinct[low]) / (distinct[high] - distinct[low])) * step;
    };
    return { y, bottom: TOP + 28 + (distinct.length - 1) * step };
  }

  function show(title, pairs) {
    const heading = document.createElement("h2"), list = document.createElement("dl");
    heading.textContent = title;
    for (const [name, value] of pairs) {
      const term = document.createElement("dt"), text = document.createElement("dd");
      term.textContent = name;
      text.textContent = value;
      list.append(term, text);
    }
    by("details").replaceChildren(heading, list);
  }

  function interactive(group, label, title, pairs) {
    group.setAttribute("tabindex", "0");
    group.setAttribute("role", "img");
    group.setAttribute("aria-label", label);
    const choose = () => {
      document.querySelectorAll(".chosen").forEach((other) => other.classList.remove("chosen"));
      group.classList.add("chosen");
      show(title, pairs);
    };
    for (const kind of ["pointerenter", "focus", "click"]) group.addEventListener(kind, choose);
  }

  function draw() {
    const ladder = timelines[state.index];
    const columns = ladder.columns.map((name, i) => ({ name, i })).filter(({ name }) => !state.hidden.has(name));
    const longest = Math.max(...ladder.columns.map((name) => name.length), ...ladder.messages.map((m) => m.name.length));
    const room = (by("diagram").clientWidth - LEFT - 40 - RIGHT) / Math.max(columns.length - 1, 1);
    const gap = Math.max(120, Math.min(260, Math.max(longest * 8 + 30, room)));
    const x = new Map(columns.map(({ i }, position) => [i, LEFT + 40 + position * gap]));
    const width = LEFT + 40 + Math.max(columns.length - 1, 0) * gap + RIGHT;
    const { y, bottom } = heights(ladder);
    const svg = make("svg", { width, height: bottom + 10, viewBox: `0 0 ${width} ${bottom + 10}` });
    ladder.phases.forEach(([begin, end, name], i) => {
      make("rect", { class: i % 2 ? "phase odd" : "phase", x: LEFT - 6, width: width - LEFT, y: y(begin), height: Math.max(y(end) - y(begin), 1) }, null, svg);
      if (y(end) - y(begin) > 12) make("text", { class: "time", x: width - 8, y: y(begin) + 12, "text-anchor": "end" }, name, svg);
    });
    for (const { i } of columns) make("line", { class: "life", x1: x.get(i), x2: x.get(i), y1: TOP, y2: bottom }, null, svg);
    const drawn = by("packets").checked ? drawPackets(ladder, x, y, svg) : ladder.count;
    by("count").textContent = drawn < ladder.count ? `(${drawn} of ${ladder.count} packets are drawn; zoom in for more)` : "";
    const free = new Map(); // the height from which a place for a label is free
    const fits = (place, height) => {
      if (height < (free.get(place) ?? -99)) return false;
      free.set(place, height + 12);
      return true;
    };
    for (const message of ladder.messages) drawMessage(ladder, message, x, y, fits, svg);
    for (const event of ladder.events) {
      if (!x.has(event.column)) continue;
      const group = make("g", { class: "event" }, null, svg), at = y(event.time), left = x.get(event.column);
      make("circle", { cx: left, cy: at, r: 4 }, null, group);
      if (fits(`e${event.column}`, at)) make("text", { x: left + 8, y: at + 4 }, event.text, group);
      if (fits("time", at)) make("text", { class: "time", x: LEFT - 12, y: at + 4, "text-anchor": "end" }, (ladder.begin + event.time).toFixed(3), svg);
      const pairs = [["node", ladder.columns[event.column]], ["time", ms(ladder.begin + event.time)], ["phase", event.phase]];
      interactive(group, `${event.text}, ${ladder.columns[event.column]}, ${ms(ladder.begin + event.time)}`, event.text, pairs);
    }
    drawHead(columns, x, width, svg);
    by("diagram").replaceChildren(svg);
    by("title").textContent = ladder.title;
    document.title = ladder.title;
    by("previous").disabled = state.index === 0;
    by("next").disabled = state.index === timelines.length - 1;
    document.querySelectorAll(".text").forEach((text, i) => { text.hidden = i !== state.index; });
  }

  function drawHead(columns, x, width, svg) {
    const head = make("g", {}, null, svg);
    make("rect", { class: "head-back", x: 0, y: 0, width, height: TOP - 6 }, null, head);
    make("text", { class: "time", x: LEFT - 12, y: 24, "text-anchor": "end" }, "ms", head);
    for (const { name, i } of columns) make("text", { class: "column", x: x.get(i), y: 24, "text-anchor": "middle" }, name, head);
    by("diagram").onscroll = () => head.setAttribute("transform", `translate(0 ${by("diagram").scrollTop})`);
    by("diagram").onscroll();
  }

  // Draw the packets whose lines keep clear of those of earlier ones, so that a crowd stays legible; return their number.
  function drawPackets(ladder, x, y, svg) {
    const latest = new Map(); // heights of the latest line between two columns
    let drawn = 0;
    for (const packet of ladder.packets) {
      const legs = packet.filter(([from, , to]) => x.has(from) && x.has(to));
      const lines = legs.filter((leg) => leg[4] !== 2).map(([from, begin, to, end, kind]) => ({ from, to, kind, y1: y(begin), y2: y(end) }));
      for (const [column, time, , , kind] of legs) {
        if (kind === 2) make("path", { class: "packet k2", d: `M${x.get(column) - 4} ${y(time) - 4}l8 8m0 -8l-8 8` }, null, svg);
      }
      const isClear = ({ from, to, kind, y1, y2 }) => {
        const [other1, other2] = latest.get(`${from} ${to} ${kind}`) ?? [-99, -99];
        return Math.max(Math.abs(y1 - other1), Math.abs(y2 - other2)) >= CLEAR;
      };
      if (!legs.length || !lines.every(isClear)) continue;
      drawn += 1;
      for (const { from, to, kind, y1, y2 } of lines) {
        latest.set(`${from} ${to} ${kind}`, [y1, y2]);
        make("line", { class: `packet k${kind}`, x1: x.get(from), y1, x2: x.get(to), y2 }, null, svg);
      }
    }
    return drawn;
  }

  function drawMessage(ladder, message, x, y, fits, svg) {
    if (!x.has(message.from) || !x.has(message.to)) return;
    const lost = message.arrival === null, group = make("g", { class: lost ? "message lost" : "message" }, null, svg);
    const x1 = x.get(message.from), y1 = y(message.sent);
    const x2 = lost ? (x1 + x.get(message.to)) / 2 : x.get(message.to), y2 = lost ? y1 : y(message.arrival);
    for (const kind of ["hit", "line"]) make("line", { class: kind, x1, y1, x2, y2 }, null, group);
    if (lost) {
      make("path", { d: `M${x2 - 4} ${y2 - 4}l8 8m0 -8l-8 8` }, null, group);
    } else {
      const angle = (Math.atan2(y2 - y1, x2 - x1) * 180) / Math.PI;
      make("polygon", { points: "0,0 -8,4 -8,-4", transform: `translate(${x2} ${y2}) rotate(${angle})` }, null, group);
    }
    const middle = x1 + Math.sign(x2 - x1) * 56, at = y1 + ((y2 - y1) * (middle - x1)) / (x2 - x1 || 1) - 4;
    if (fits(`m${Math.round(middle)}`, at)) make("text", { x: middle, y: at, "text-anchor": "middle" }, message.name, group);
    if (fits("time", y1)) make("text", { class: "time", x: LEFT - 12, y: y1 + 4, "text-anchor": "end" }, (ladder.begin + message.sent).toFixed(3), svg);
    const [from, to] = [ladder.columns[message.from], ladder.columns[message.to]];
    const pairs = [["from", from], ["to", to], ["sent", ms(ladder.begin + message.sent)]];
    pairs.push(lost ? ["arrival", message.note] : ["arrival", ms(ladder.begin + message.arrival)]);
    if (!lost) pairs.push(["took", ms(message.arrival - message.sent)]);
    if (!lost && message.note) pairs.push(["note", message.note]);
    if (message.bytes) pairs.push(["size", `${message.bytes} bytes`]);
    pairs.push(...message.facts, ["phase", message.phase]);
    interactive(group, `${message.name} from ${from} to ${to}, sent at ${ms(ladder.begin + message.sent)}`, message.name, pairs);
  }

  function chooseNodes() {
    const names = [...new Set(timelines.flatMap((ladder) => ladder.columns))];
    for (const name of names) {
      const label = document.createElement("label"), box = document.createElement("input");
      box.type = "checkbox";
      box.checked = true;
      box.addEventListener("change", () => { state.hidden[box.checked ? "delete" : "add"](name); draw(); });
      label.append(box, ` ${name}`);
      by("nodes").append(label);
    }
  }

  const zoom = (factor) => { state.zoom = Math.min(64, Math.max(0.25, state.zoom * factor)); draw(); };
  by("in").addEventListener("click", () => zoom(1.5));
  by("out").addEventListener("click", () => zoom(1 / 1.5));
  by("fit").addEventListener("click", () => { state.zoom = 1; draw(); });
  by("previous").addEventListener("click", () => { state.index -= 1; draw(); });
  by("next").addEventListener("click", () => { state.index += 1; draw(); });
  by("packets").addEventListener("change", draw);
  by("scale").addEventListener("change", (event) => { state.toScale = event.target.checked; draw(); });
  by("diagram").addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    zoom(event.deltaY < 0 ? 1.2 : 1 / 1.2);
  }, { passive: false });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "+") zoom(1.5);
    if (event.key === "-") zoom(1 / 1.5);
    if (event.key === "ArrowRight" && !by("next").disabled) by("next").click();
    if (event.key === "ArrowLeft" && !by("previous").disabled) by("previous").click();
  });
  chooseNodes();
  draw();
  document.documentElement.dataset.ready = "true";
})();
