// The walk home as a height profile: distance from the main road to the right, height upwards.
const PROFILE = { width: 336, height: 176, left: 42, right: 14, top: 30, bottom: 42 };
const LEAST_SPAN_M = 10; // so that a level walk does not look like a mountain

function walkPart({ model, row }) {
  const walk = walkOf(model, row);
  const heading = element("h3", {}, text("walk"));
  if (!walk) return element("section", { id: "walk" }, heading, element("p", { class: "detail missing" }, text("walk_none")));
  return element("section", { id: "walk" }, heading, walkNumbers(model, row, walk), profilePicture(walk, fact(model, "elevation_m", row)), walkNote());
}

function walkNumbers(model, row, walk) {
  const out = fact(model, "main_road_walk_out_min", row);
  const items = [
    ["walk_climb", fact(model, "main_road_climb_m", row), "m", 1],
    ["walk_out", out, "min", 1],
    ["walk_home", out + fact(model, "main_road_walk_later_min", row), "min", 1],
    ["walk_length", walk.length, "m", 0],
  ];
  const cells = items.filter(([, value]) => !Number.isNaN(value)).map(([key, value, unit, decimals]) => element(
    "div", { "data-walk": key }, element("dt", {}, text(key)), element("dd", {}, withUnit(value, unit, decimals)),
  ));
  return element("dl", { class: "walk-numbers" }, ...cells);
}

function walkNote() {
  return element("p", { class: "hint" }, text("walk_note"));
}

// Steps of 1, 2 or 5 times a power of ten, at most `most` of them in the span.
function tickStep(span, most) {
  const rough = span / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
}

// `ground`: metres above the sea at the building; from the street to there the line is dashed.
function profilePicture(walk, ground) {
  const street = walk.points.filter((point) => !Number.isNaN(point.height)).reverse();
  if (!street.length) return "";
  const end = street[street.length - 1];
  const home = Number.isNaN(ground) ? null : { distance: walk.length, height: ground };
  const points = home ? [...street, home] : street;
  const heights = points.map((point) => point.height);
  const low = Math.min(...heights), high = Math.max(...heights);
  const span = Math.max(LEAST_SPAN_M, high - low);
  const step = tickStep(span, 4);
  const floor = Math.floor(low / step) * step;
  const ceiling = Math.max(floor + span, high);
  const most = Math.max(walk.length, 1);
  const { width, height, left, right, top, bottom } = PROFILE;
  const xAt = (distance) => left + (distance / most) * (width - left - right);
  const yAt = (metres) => height - bottom - ((metres - floor) / (ceiling - floor)) * (height - top - bottom);
  const spot = ({ distance, height: metres }) => xAt(distance).toFixed(1) + "," + yAt(metres).toFixed(1);
  const base = yAt(floor).toFixed(1);
  const words = (attributes, content) => drawing("text", attributes, content);
  const parts = [];
  for (let metres = floor; metres <= ceiling + 1e-9; metres += step) {
    const y = yAt(metres).toFixed(1);
    parts.push(drawing("line", { x1: left, x2: width - right, y1: y, y2: y, class: "rule" }));
    parts.push(words({ x: left - 6, y: Number(y) + 5, "text-anchor": "end" }, grouped(metres)));
  }
  const across = tickStep(most, 4);
  for (let metres = 0; metres <= most + 1e-9; metres += across) {
    const isLast = xAt(metres) > width - 34;
    const attributes = { x: isLast ? width : xAt(metres), y: height - bottom + 17, "text-anchor": isLast ? "end" : "middle" };
    parts.push(words(attributes, across < 1 ? grouped(metres, 1) : grouped(metres)));
  }
  parts.push(
    drawing("polygon", { class: "ground", points: `${xAt(points[0].distance).toFixed(1)},${base} ${points.map(spot).join(" ")} ${xAt(points[points.length - 1].distance).toFixed(1)},${base}` }),
    drawing("polyline", { class: "way", points: street.map(spot).join(" ") }),
    drawing("circle", { class: "road-end", cx: xAt(points[0].distance), cy: yAt(points[0].height), r: 5 }),
    words({ class: "end", x: left - 38, y: 14 }, text("walk_road_end", grouped(points[0].height, 0))),
    words({ x: (left + width - right) / 2, y: height - 5, "text-anchor": "middle" }, text("walk_axis")),
  );
  if (home) {
    parts.push(
      drawing("polyline", { class: "way", "stroke-dasharray": "2 4", points: [end, home].map(spot).join(" ") }),
      drawing("circle", { class: "home-end", cx: xAt(home.distance), cy: yAt(home.height), r: 5 }),
      words({ class: "end", x: width, y: 14, "text-anchor": "end" }, text("walk_home_end", grouped(home.height, 0))),
    );
  }
  const told = home ? grouped(home.height, 1) : "?";
  const label = text("walk_picture", grouped(most), grouped(points[0].height, 1), told);
  return drawing("svg", { class: "profile", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label }, ...parts);
}
