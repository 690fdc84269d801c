// Unpacks the page and hands it to its scripts, or says in both languages why that cannot be.
const FAILURES = {
  browser: [
    "此浏览器不支持解压（DecompressionStream）。请用 Chrome 或 Edge 80、Firefox 113、Safari 16.4 以上版本打开。",
    "This browser cannot unpack the page (DecompressionStream). Please open it in Chrome or Edge 80, Firefox 113, Safari 16.4 or later.",
  ],
  data: [
    "页面数据无法读取，文件可能不完整。请重新复制本文件。",
    "The data in this page cannot be read; the file may be incomplete. Please copy it again.",
  ],
};

function fail(key) {
  const box = document.getElementById("failure");
  box.hidden = false;
  box.replaceChildren(FAILURES[key][0], document.createElement("br"), FAILURES[key][1]);
}

function addScript(words) {
  const script = document.createElement("script");
  script.textContent = words;
  document.body.append(script);
  script.remove();
}

async function start(makeMap) {
  if (typeof DecompressionStream === "undefined") {
    fail("browser");
    return;
  }
  try {
    const box = document.getElementById("pack");
    const pack = await unpack(box.textContent, Number(box.dataset.bytes));
    box.textContent = "";
    addScript(pack.columns.text("script.leaflet"));
    addScript(pack.columns.text("script.own"));
    window.shancheng.run(pack, makeMap);
  } catch (error) {
    fail("data");
    throw error;
  }
}
