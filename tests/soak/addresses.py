"""Open the map by addresses that nobody writes, many in one load, and see that nothing goes wrong."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

PER_LOAD = 400
MOST_SECONDS = 10
PARAMETERS = ("w", "b", "g", "v", "l", "c", "i", "p", "fd", "ft", "fk", "fy", "x", "__proto__", "")
STRANGE = (
    "", " ", "0", "-1", "-0", "1e999", "NaN", "Infinity", "9" * 400, "99999", "0x10", "1.5", "null",
    "undefined", "true", "__proto__", "constructor", "toString", "hasOwnProperty", "valueOf",
    "<img src=x onerror=ran=1>", "<script>ran=1</script>", "'\"><svg onload=ran=1>", "javascript:ran=1",
    "${ran=1}", "{{ran=1}}", "';ran=1;//", "//127.0.0.1:9/x", "http://127.0.0.1:9/x.js", "../../x",
    "file:///etc/passwd", "\u202eegap", "\x00", "\x1b[2J", "\ud800", "\U0001f3e0", "%", "%00",
    "%E0%A4%A", "%25%33%43", "&&&", "===", "a=b=c", "#", "?", "x" * 100_000,
    ":" * 5_000, "," * 5_000, "/" * 5_000,
)  # fmt: skip
PROBE = """
async (addresses) => {
  const told = [];
  const before = document.querySelectorAll("script, iframe, img, object, embed, link, base").length;
  const headings = [];
  for (const language of ["en", "zh"]) {
    location.hash = "l=" + language;
    await new Promise((resolve) => window.addEventListener("hashchange", resolve, { once: true }));
    headings.push(document.querySelector("#heading h1").textContent);
  }
  for (const address of addresses) {
    const faults = [];
    const hear = (event) => faults.push(String(event.message || event.reason));
    window.addEventListener("error", hear);
    window.addEventListener("unhandledrejection", hear);
    const begin = performance.now();
    const changed = new Promise((resolve) => {
      window.addEventListener("hashchange", resolve, { once: true });
      setTimeout(resolve, 50);
    });
    location.hash = address;
    await changed;
    await new Promise((resolve) => setTimeout(resolve, 0));
    window.removeEventListener("error", hear);
    window.removeEventListener("unhandledrejection", hear);
    const took_s = (performance.now() - begin) / 1000;
    if (window.ran !== undefined) faults.push("a script ran");
    if (document.querySelector("[onerror], [onload]")) faults.push("markup got into the page");
    const now = document.querySelectorAll("script, iframe, img, object, embed, link, base").length;
    if (now !== before) faults.push(`${now - before} elements more that load something`);
    if (Object.prototype.ran !== undefined) faults.push("a prototype was changed");
    if (!headings.includes(document.querySelector("#heading h1").textContent)) {
      faults.push("the heading is another");
    }
    if (/NaN|undefined|\\[object |function /.test(document.body.innerText)) {
      faults.push("it shows a value of the program: " +
        document.body.innerText.match(/.{0,60}(NaN|undefined|\\[object |function ).{0,60}/)[0]);
    }
    if (!Number.isFinite(shancheng.map.getCenter().lat)) faults.push("the map is nowhere");
    told.push([took_s, faults]);
  }
  return told;
}
"""


@dataclass
class Addresses:
    """How many were opened, and what went wrong."""

    count: int = 0
    slowest_s: float = 0.0
    faults: list[str] = field(default_factory=list)

    def summary(self) -> str:
        """Return the count, the slowest, and each fault."""
        head = f"{self.count} addresses of the map: {len(self.faults)} faults, slowest "
        return "\n".join([head + f"{self.slowest_s:.2f} s", *(f"--- {x}" for x in self.faults)])


def spoil_addresses(
    open_page: Callable[[str], Any],
    count: int,
    seed: int,
    tell: Callable[[str], object] = lambda _: None,
) -> Addresses:
    """Change the address of an open map so many times, at intervals in a page freshly loaded by one.

    Parameters
    ----------
    open_page
        Loads the map by an address behind ``#`` and returns an object with its ``page`` and the
        ``faults`` and ``requests`` heard so far, whose ``context`` can be closed.
    """
    found = Addresses()
    while found.count < count:
        many = min(PER_LOAD, count - found.count)
        chance = random.Random(f"{seed} {found.count}")
        first = _address(chance, {})
        one = open_page(first)
        known = one.page.evaluate(
            "() => ({ w: shancheng.model.page.criteria.map((item) => item.name),"
            " g: shancheng.model.page.gates.map((gate) => gate.key),"
            " i: [shancheng.idOf(0), shancheng.idOf(1)], p: [shancheng.idOf(0)],"
            " c: [...document.querySelectorAll('#colour option, select option')].map((x) => x.value),"
            " b: ['area', 'cost'], l: ['en', 'zh'], fk: shancheng.model.page.tracks,"
            " ft: ['1', '5'], fy: ['none'], v: ['14/29.5/106.5'] })"
        )
        addresses = [_address(chance, known) for _ in range(many)]
        for address, (took_s, faults) in zip(
            addresses, one.page.evaluate(PROBE, addresses), strict=True
        ):
            found.slowest_s = max(found.slowest_s, took_s)
            if took_s > MOST_SECONDS:
                faults.append(f"took {took_s:.1f} s")
            found.faults += [f"{fault}: #{address[:300]}" for fault in faults]
        strays = [url for url in one.requests if not url.startswith((one.address, "blob:"))]
        found.faults += [f"asked for {url}" for url in strays] + [
            str(fault) for fault in one.faults
        ]
        found.count += many
        one.context.close()
        tell(found.summary().splitlines()[0])
    return found


def _address(chance: random.Random, known: dict[str, list[str]]) -> str:
    parts = []
    for _ in range(chance.choice((0, 1, 1, 2, 3, 6, 12))):
        name = chance.choice(PARAMETERS)
        value = _value(chance, known.get(name, []))
        if chance.random() < 0.5:
            value = quote(value, errors="replace")
        parts.append(f"{name}={value}" if chance.random() < 0.95 else value)
    return chance.choice("&&&&;#").join(parts).encode("utf-8", "replace").decode()


def _value(chance: random.Random, known: list[str]) -> str:
    def word() -> str:
        if known and chance.random() < 0.6:
            return chance.choice(known)
        return chance.choice(STRANGE)

    joint = chance.choice((":", ",", "/"))
    return joint.join(word() for _ in range(chance.choice((1, 1, 1, 2, 3, 4))))
