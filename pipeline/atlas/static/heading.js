// Heading, layers to choose from, pages beside this one, notices.
function drawHeading(model) {
  const { page } = model;
  const city = language === "zh" ? page.city.name_zh : page.city.name_en;
  document.querySelector("#heading h1").textContent = [text("heading"), city, page.district].filter(Boolean).join(" · ");
  const away = model.count - model.rankedCount;
  const parts = [text(away ? "subheading" : "subheading_all", grouped(model.count), grouped(model.rankedCount), grouped(away)), text("subheading_others", grouped(page.other_count))];
  if (page.scenario && page.scenario !== "base") parts.push(text("scenario", page.scenario));
  byId("subheading").textContent = parts.join(" · ");
  byId("language-button").textContent = text("other_language");
  byId("language-button").lang = language === "zh" ? "en" : "zh-CN";
  const isOpen = !byId("side").hidden;
  byId("side-button").textContent = text(isOpen ? "hide_side" : "show_side");
  byId("side-button").setAttribute("aria-expanded", String(isOpen));
  byId("table-button").textContent = text(byId("dock").hidden ? "show_table" : "hide_table");
  byId("table-button").setAttribute("aria-expanded", String(!byId("dock").hidden));
  byId("foot").textContent = text("attribution", page.attribution.join(" · "));
  const notices = [], said = [];
  if (page.city.is_synthetic) said.push(element("b", { class: "synthetic" }, TEXTS.zh.synthetic + " " + TEXTS.en.synthetic));
  const note = inLanguage(page.city.note);
  if (note && !model.isNoteDismissed) said.push(element("span", { class: "note", title: note }, note));
  if (said.length) {
    const dismiss = () => { model.isNoteDismissed = true; drawHeading(model); window.shancheng.map.invalidateSize({ pan: false }); };
    const button = note && !model.isNoteDismissed ? element("button", { type: "button", onclick: dismiss }, text("dismiss")) : "";
    notices.push(element("p", { class: "notice" + (page.city.is_synthetic ? " invented" : "") }, ...said, button));
  }
  if (!isPublished(page, model.choice)) notices.push(element("p", { class: "notice what-if", role: "status" }, element("b", {}, text("is_what_if")), element("span", { class: "note" }, text("what_if_notice"))));
  byId("notices").replaceChildren(...notices);
}

function drawColourChoice(model) {
  const option = (key) => element("option", { value: key, selected: model.colouring.key === key }, layerTitle(model, key));
  byId("colour-by").replaceChildren(...layerGroups(model).map(([group, keys]) => (
    element("optgroup", { label: text("layers_" + group) }, ...keys.map(option))
  )));
}

// The pages that lie beside this one.
function drawPages(page) {
  byId("pages").hidden = !page.pages.length;
  byId("pages-list").replaceChildren(...page.pages.map(({ label: words, href }) => (
    element("li", {}, element("a", { href: href + (language === "en" ? "#l=en" : "") }, inLanguage(words)))
  )));
}
