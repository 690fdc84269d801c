// The choice as a file of config/scenarios, and files saved from the page.
function scenarioName(model) {
  return cleanName((model.page.scenario || "base") + "_what_if_" + choiceMark(model));
}

function cleanName(words) {
  return words.trim().replace(/[^A-Za-z0-9_-]+/g, "_").replace(/^_+|_+$/g, "").slice(0, 60);
}

// Weights in ten-thousandths that sum to 1: the tables take them as they are, to the last one.
// A page made for a scenario repeats all that the scenario may have changed.
function scenarioText(model, choice, name) {
  const { page } = model;
  const units = weightUnits(choice.raw);
  const score = page.scenario && page.scenario !== "base" ? structuredClone(page.score_settings) : {};
  score.criteria = score.criteria || {};
  page.criteria.forEach((item, k) => {
    score.criteria[item.name] = { ...score.criteria[item.name], weight: units[k] / WEIGHT_UNITS };
  });
  layOver(score, page.weighting);
  page.gates.forEach((gate, i) => { if (!choice.gates[i]) layOver(score, gate.off); });
  const content = { score };
  if (page.scenario && page.scenario !== "base") content.plan = page.plan_settings;
  const notes = [
    `# ${TEXTS.zh.scenario_file_note} ${TEXTS.en.scenario_file_note}`,
    `# make rank SCENARIO=${name}`,
  ];
  return [...notes, ...yamlLines(content, ""), ""].join("\n");
}

function layOver(base, top) {
  for (const [key, value] of Object.entries(top)) {
    if (value !== null && typeof value === "object" && !Array.isArray(value)) {
      base[key] = base[key] || {};
      layOver(base[key], value);
    } else {
      base[key] = value;
    }
  }
}

// Keys as lines, everything below a criterion or a list in JSON, which YAML reads.
function yamlLines(content, indent) {
  return Object.entries(content).flatMap(([key, value]) => {
    const isMapping = value !== null && typeof value === "object" && !Array.isArray(value) && Object.keys(value).length > 0;
    const isLeaf = !isMapping || Object.values(value).every((each) => each === null || typeof each !== "object");
    if (isLeaf) return [`${indent}${JSON.stringify(key)}: ${JSON.stringify(value)}`];
    return [`${indent}${JSON.stringify(key)}:`, ...yamlLines(value, indent + "  ")];
  });
}

function saveFile(name, content, kind) {
  const address = URL.createObjectURL(new Blob([content], { type: kind + ";charset=utf-8" }));
  const link = element("a", { href: address, download: name, hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}
