// Unpacks the page and hands it to its scripts, or says in both languages why that cannot be.
const TOO_OLD = [
  "此浏览器不支持解压（DecompressionStream）。请用 Chrome 或 Edge 80、Firefox 113、Safari 16.4 以上版本打开。",
  "This browser cannot unpack the page (DecompressionStream). Please open it in Chrome or Edge 80, Firefox 113, Safari 16.4 or later.",
];

// Without other words the page says that it is not whole.
function fail(words) {
  const box = document.getElementById("failure");
  box.hidden = false;
  if (words) box.replaceChildren(words[0], document.createElement("br"), words[1]);
}

function addScript(words) {
  const script = document.createElement("script");
  script.textContent = words;
  document.body.append(script);
  script.remove();
}

// The later part may still be on its way into the document.
async function unpackPart(id, rest) {
  while (document.readyState === "loading" && id !== "pack") {
    await new Promise((resolve) => document.addEventListener("DOMContentLoaded", resolve, { once: true }));
  }
  const box = document.getElementById(id);
  if (!box) throw new Error("the page is not whole");
  const letters = box.textContent;
  box.textContent = "";
  return unpack(letters, Number(box.dataset.bytes), rest);
}

async function prepared() {
  const pack = await unpackPart("pack", null);
  addScript(pack.columns.text("script.leaflet"));
  const own = ["paint", "own"].map((name) => pack.columns.text("script." + name)).join("\n");
  addScript(`(function () {\n"use strict";\n${own}\n})();`);
  return window.shancheng.prepare(pack);
}

// Starts on the first part while the browser still reads the later one.
function begin() {
  let isStarted = false;
  window.shancheng = {};
  const isAble = typeof DecompressionStream !== "undefined";
  const model = isAble ? prepared() : Promise.resolve(null);
  model.catch(() => {}); // told when the map starts
  window.shancheng.start = async (makeMap) => {
    isStarted = true;
    try {
      if (isAble) await window.shancheng.run(await model, makeMap, unpackPart);
    } catch (error) {
      fail();
      throw error;
    }
  };
  if (!isAble) fail(TOO_OLD);
  document.addEventListener("DOMContentLoaded", () => { if (!isStarted) fail(); });
}
