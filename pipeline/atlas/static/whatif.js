// The meeting's own choice: weights and gates, ranked anew at every move. The plan stays as it was made.
const GROUPS = ["building", "people", "service", "feasibility"];
const KEY_STEP = 100; // a hundredth of all weight
const FULL_WEIGHT = 6000;
const MOVERS_SHOWN = 10;

function addWhatIf(model, actions) {
  const box = byId("what-if");
  let choice = publishedChoice(model.page);
  let outputs = [];

  function set(next, isFinal) {
    choice = next;
    actions.change(choice, isFinal);
    tellShares();
  }

  function tellShares() {
    for (const { k, node } of outputs) node.textContent = percent(model.units[k] / WEIGHT_UNITS, 2) + " %";
    byId("what-if-reset").disabled = isPublished(model.page, choice);
  }

  function slider(k) {
    const item = model.page.criteria[k];
    const id = "weight-" + item.name;
    const most = Math.max(FULL_WEIGHT, item.weight);
    const input = element("input", { type: "range", id, min: 0, max: most, step: 1, value: choice.raw[k], "data-weight": item.name });
    const move = (value, isFinal) => {
      const raw = choice.raw.slice();
      raw[k] = Math.max(0, Math.min(most, value));
      if (!raw.some((weight) => weight > 0)) raw[k] = 1; // at least one criterion must count
      input.value = String(raw[k]);
      set({ ...choice, raw }, isFinal);
    };
    input.addEventListener("input", () => move(Number(input.value), false));
    input.addEventListener("change", () => move(Number(input.value), true));
    input.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 5, PageDown: -5 }[event.key];
      if (!step) return;
      event.preventDefault();
      move(Number(input.value) + step * (event.shiftKey ? 1 : KEY_STEP), true);
    });
    const output = element("output", { for: id });
    outputs.push({ k, node: output });
    return element("div", { class: "slider" }, element("label", { for: id }, inLanguage(item.label)), output, input);
  }

  function weightsPart() {
    const parts = GROUPS.map((group) => {
      const inside = [...model.page.criteria.keys()].filter((k) => model.page.criteria[k].group === group);
      return inside.length ? element("div", { role: "group", "aria-label": text("group_" + group) }, element("h4", {}, text("group_" + group)), ...inside.map(slider)) : "";
    });
    return element("section", {}, element("h3", {}, text("weights_heading"), element("span", { class: "hint" }, text("weights_hint"))), ...parts);
  }

  function gatesPart() {
    if (!model.page.gates.length) return "";
    const lines = model.page.gates.map((gate, i) => {
      const input = element("input", { type: "checkbox", id: "gate-" + gate.key, checked: choice.gates[i] });
      input.addEventListener("change", () => {
        const gates = choice.gates.slice();
        gates[i] = input.checked;
        set({ ...choice, gates }, true);
      });
      const words = text("gate_" + gate.key) + " " + text("gate_count", grouped(gate.count));
      return element("li", {}, element("label", {}, input, words));
    });
    return element("section", {}, element("h3", {}, text("gates")), element("ul", { class: "plain" }, ...lines));
  }

  function exportPart() {
    const name = element("input", { id: "scenario-name", type: "text", maxlength: 60, placeholder: (model.page.scenario || "base") + "_what_if", "aria-label": text("scenario_name") });
    const save = () => {
      name.value = cleanName(name.value) || scenarioName(model);
      saveFile(name.value + ".yaml", scenarioText(model, choice, name.value), "application/yaml");
      byId("scenario-note").textContent = text("scenario_saved", name.value);
    };
    return element(
      "section", {}, element("h3", {}, element("label", { for: "scenario-name" }, text("scenario_export"))),
      element("div", { class: "row" }, name, element("button", { type: "button", id: "scenario-save", onclick: save }, text("save"))),
      element("p", { class: "detail", id: "scenario-note", role: "status" }, text("scenario_hint")),
    );
  }

  function redraw() {
    outputs = [];
    const reset = () => {
      set(publishedChoice(model.page), true);
      redraw();
      byId("what-if-reset").focus();
    };
    box.replaceChildren(
      element("div", { class: "row" },
        element("p", { class: "hint" }, text("what_if_hint")),
        element("button", { type: "button", id: "what-if-reset", onclick: reset }, text("reset"))),
      element("section", { id: "moves", "aria-live": "polite" }),
      weightsPart(), gatesPart(), exportPart(), planPart(model),
    );
    tellShares();
    drawMoves(byId("moves"), model, actions);
  }

  return {
    redraw,
    take: (next) => { choice = next; redraw(); },
    tellMoves: () => drawMoves(byId("moves"), model, actions),
  };
}

// What the plan takes under its budgets, and the command that plans anew under those that are typed here.
function planPart(model) {
  const { plan } = model.page;
  if (!plan.length) return "";
  const money = (value) => (value === null ? "–" : grouped(value / 1e8, 2));
  const heads = [text("year"), text("plan_projects"), text("plan_homes"), text("plan_public"), text("plan_budget")];
  const command = element("code", { id: "plan-command" }), note = element("p", { class: "detail", id: "budget-note", role: "status" });
  const inputs = plan.map((one) => element("input", {
    type: "text", inputmode: "decimal", class: "budget", "data-year": one.year, "aria-label": text("budget_of", one.year),
    value: one.budget_cny === null ? "" : plainNumber(one.budget_cny / 1e8),
  }));
  const tell = () => {
    const typed = inputs.map((input) => input.value.trim().replace(/[,，]/g, "").replace(/[．。]/g, "."));
    const isWrong = typed.map((words) => !/^\d+(\.\d+)?$/.test(words));
    inputs.forEach((input, i) => input.setAttribute("aria-invalid", String(isWrong[i])));
    const at = isWrong.indexOf(true);
    note.textContent = at >= 0 ? text("budget_wrong", plan[at].year) : text("budget_note");
    command.textContent = at >= 0 ? "" : "make plan" + (model.page.scenario && model.page.scenario !== "base" ? " SCENARIO=" + model.page.scenario : "") + " BUDGET=" + typed.map((words) => plainNumber(Number(words)) + "亿").join(",");
  };
  inputs.forEach((input) => input.addEventListener("input", tell));
  tell();
  const rows = plan.map((one, i) => [String(one.year), grouped(one.projects), grouped(one.homes), money(one.public_cny), inputs[i]]);
  return element(
    "section", { id: "plan" }, element("h3", {}, text("plan_heading")),
    element("p", { class: "hint" }, text("plan_hint")),
    table(heads, rows, { class: "counts" }), note, command,
  );
}

function plainNumber(value) {
  return String(Math.round(value * 1e6) / 1e6);
}

// Who enters and who leaves the top tier, and where; all of them are a filter away.
function drawMoves(box, model, actions) {
  if (isPublished(model.page, model.choice)) {
    box.replaceChildren(element("p", { class: "detail" }, text("moves_none")));
    return;
  }
  const moves = tierMoves(model).filter(({ enters, leaves }) => enters.length || leaves.length);
  const entering = moves.flatMap(({ enters }) => enters), leaving = moves.flatMap(({ leaves }) => leaves);
  const rows = moves.map(({ name, enters, leaves }) => [name, "+" + grouped(enters.length), "−" + grouped(leaves.length)]);
  const wasOpen = new Set([...box.querySelectorAll("details[open]")].map((node) => node.dataset.part));
  const fold = (key, words, ...content) => element("details", { "data-part": key, open: wasOpen.has(key) }, element("summary", {}, words), ...content);
  const list = (key, move, all, order) => {
    if (!all.length) return "";
    const first = all.sort((a, b) => order[a] - order[b]).slice(0, MOVERS_SHOWN);
    const whole = element("button", { type: "button", "data-move": move, onclick: () => actions.listMovers(move) }, text("list_all", grouped(all.length)));
    return fold(key, text(key, grouped(all.length)), buildingList(model, first, actions), whole);
  };
  box.replaceChildren(
    element("p", { class: "detail", id: "moves-weights" }, choiceWords(model)),
    element("p", { id: "moves-total" }, element("b", {}, text("moves_total", grouped(entering.length), grouped(leaving.length)))),
    rows.length ? fold("districts", text("moves_by_district"), table([text("district"), text("enters"), text("leaves")], rows, { class: "counts" })) : "",
    list("entering", "enters", entering, model.rank), list("leaving", "leaves", leaving, model.published.rank),
  );
}
