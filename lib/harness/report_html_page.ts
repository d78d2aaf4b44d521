/** The report's style. Colors are pairs for light and dark; text contrast is at least 4.5. */
export const STYLE = `
:root{color-scheme:light dark;--ground:#fff;--card:#f6f8fa;--line:#d8dee4;--text:#1f2328;--quiet:#57606a;--link:#0860ca;
--passed:#1a7f37;--failed:#c21c28;--skipped:#7d5500;--step:#0860ca;--operator:#7a3fd0;--scenario:#08707a;--event:#b04a00;
--debug:#6e7781;--info:#57606a;--warn:#8a5a00;--error:#c21c28;--badbg:#fff1f0}
@media(prefers-color-scheme:dark){:root{--ground:#0d1117;--card:#161b22;--line:#30363d;--text:#e6edf3;--quiet:#9aa4af;
--link:#6cb6ff;--passed:#56d364;--failed:#ff8a80;--skipped:#e3b341;--step:#6cb6ff;--operator:#c8a6ff;--scenario:#5fd4de;
--event:#ffab70;--debug:#8b949e;--info:#9aa4af;--warn:#e3b341;--error:#ff8a80;--badbg:#2a1416}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--text);font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif;overflow-wrap:anywhere}
header,main,.controls>div{max-width:75rem;margin:0 auto;padding:0 1.25rem}
header{padding-top:1.75rem}
h1{font-size:1.6rem;margin:0;line-height:1.25}h2{font-size:1.15rem;margin:2rem 0 .6rem}
h2 small,.quiet{color:var(--quiet);font-weight:400;font-size:.9rem}
a{color:var(--link)}code,pre,.timeline{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.82rem}
.passed{color:var(--passed)}.failed{color:var(--failed)}.skipped,.interrupted{color:var(--skipped)}
.share{display:block;width:100%;height:8px;margin:.9rem 0;border-radius:4px;background:var(--line)}
.share .passed{fill:var(--passed)}.share .failed{fill:var(--failed)}.share .other{fill:var(--skipped)}
dl.facts{display:flex;flex-wrap:wrap;gap:.25rem 1.75rem;margin:.5rem 0 1rem}
dl.facts div{display:flex;gap:.45rem}dt{color:var(--quiet)}dd{margin:0;font-variant-numeric:tabular-nums}
.controls{position:sticky;top:0;z-index:1;background:var(--ground);border-block:1px solid var(--line);padding:.55rem 0}
.controls>div{display:flex;flex-wrap:wrap;gap:.4rem .9rem;align-items:center}
.controls input[type=search]{flex:1 1 14rem;min-width:0;padding:.4rem .6rem;font:inherit;color:inherit;background:var(--card);
border:1px solid var(--quiet);border-radius:6px}
button{font:inherit;font-size:.85rem;color:inherit;background:var(--card);border:1px solid var(--quiet);border-radius:6px;
padding:.25rem .7rem;cursor:pointer}
select{font:inherit;font-size:.85rem;color:inherit;background:var(--card);border:1px solid var(--quiet);border-radius:6px;padding:.3rem .5rem}
fieldset{border:0;margin:0;padding:0;display:flex;flex-wrap:wrap;gap:.2rem .8rem}
legend{float:left;padding:0 .5rem 0 0;color:var(--quiet);font-size:.85rem}
fieldset label{font-size:.85rem;white-space:nowrap;display:inline-flex;align-items:center;gap:.3rem}
:focus-visible{outline:2px solid var(--link);outline-offset:2px}
.scenario{border:1px solid var(--line);border-radius:8px;margin:.45rem 0;background:var(--card);scroll-margin-top:9rem;
content-visibility:auto;contain-intrinsic-size:auto 3rem}
.scenario.failed-one{border-color:var(--failed)}
.scenario:target{outline:2px solid var(--link)}
summary{cursor:pointer;padding:.55rem .8rem;display:flex;gap:.6rem;align-items:baseline}
summary::-webkit-details-marker{display:none}summary::marker{content:""}
summary .mark{font-weight:700;width:1.1em;flex:none;text-align:center}
summary .name{flex:1;min-width:0;overflow-wrap:anywhere}summary .suite{color:var(--quiet)}
summary time{color:var(--quiet);font-variant-numeric:tabular-nums;white-space:nowrap;font-size:.85rem}
.body{border-top:1px solid var(--line);padding:.8rem;background:var(--ground);border-radius:0 0 8px 8px}
.message{margin:0 0 .8rem;padding:.7rem .8rem;background:var(--badbg);border-left:3px solid var(--failed);border-radius:4px}
pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:0}
.rerun{display:flex;gap:.6rem;align-items:start;margin:0 0 .8rem;font-size:.85rem}
.rerun code{flex:1;min-width:0;overflow-wrap:anywhere;background:var(--card);padding:.25rem .5rem;border-radius:4px}
.attached{margin-top:.6rem;border:1px solid var(--line);border-radius:6px}.attached pre{padding:0 .8rem .7rem}
.attached summary{font-size:.9rem}
.timeline{width:100%;border-collapse:collapse;table-layout:fixed}
.timeline th{text-align:left;font:inherit;color:var(--quiet);padding:.15rem .4rem;border-bottom:1px solid var(--line)}
.timeline th:first-child,.at{width:5rem}.timeline th:nth-child(2),.kind{width:5.5rem}
.timeline th:last-child,.axis{width:26%}
.timeline td{padding:.12rem .4rem;vertical-align:top;overflow-wrap:anywhere}
.timeline tbody tr:hover{background:var(--card)}
.at{color:var(--quiet);text-align:right;font-variant-numeric:tabular-nums}
.more{color:var(--quiet);margin-left:.6rem;white-space:pre-wrap}.took{color:var(--quiet);margin-left:.6rem}
.row-step .what>span:first-child{font-weight:600}tr.bad .what,tr.bad .more{color:var(--failed)}
.axis svg{display:block;width:100%;height:10px;margin-top:.3rem;overflow:visible}
${
  ["step", "operator", "scenario", "event", "debug", "info", "warn", "error"].map((kind) =>
    `.row-${kind} .kind{color:var(--${kind})}.row-${kind} rect{fill:var(--${kind})}` +
    `body:has(#show-${kind}:not(:checked)) .row-${kind}{display:none!important}`
  ).join("\n")
}
tr.bad rect{fill:var(--failed)}rect.track{fill:var(--line)!important}
ul.elsewhere{margin:.4rem 0;padding-left:1.4rem}
.visually-hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
[hidden]{display:none!important}
footer{color:var(--quiet);font-size:.85rem;max-width:75rem;margin:2rem auto;padding:0 1.25rem}
@media(max-width:46rem){header,main,.controls>div{padding-inline:.75rem}h1{font-size:1.3rem}.controls{position:static}
.scenario{scroll-margin-top:.5rem}
.timeline thead{display:none}.timeline,.timeline tbody,.timeline td{display:block;width:auto}
.timeline tr{display:grid;grid-template-columns:auto 1fr;gap:0 .5rem;padding:.3rem 0;border-bottom:1px solid var(--line)}
.timeline td{padding:0 .1rem}.at{text-align:left}.what,.axis{grid-column:1/-1}.axis svg{height:6px;margin:.2rem 0}
summary{flex-wrap:wrap}summary .name{flex-basis:70%}}
@media print{.controls,.rerun button{display:none}.scenario{content-visibility:visible;break-inside:auto;background:none}
summary,tr{break-inside:avoid}body{font-size:11px}}
@media(prefers-reduced-motion:no-preference){html{scroll-behavior:smooth}}
`;

/** Search, opening, links to one scenario, copying. The page is complete without it. */
export const SCRIPT = `
"use strict";
const byId = (id) => document.getElementById(id);
const scenarios = [...document.querySelectorAll(".scenario")];
const found = byId("found"), search = byId("search"), status = byId("status");
const names = scenarios.map((each) => each.querySelector("summary").textContent.toLowerCase());
const apply = () => {
  const words = search.value.toLowerCase().split(/\\s+/).filter(Boolean);
  let shown = 0;
  scenarios.forEach((each, nth) => {
    const fits = words.every((word) => names[nth].includes(word)) && (!status.value || each.dataset.outcome === status.value);
    each.hidden = !fits;
    if (fits) shown++;
  });
  for (const section of document.querySelectorAll("main>section")) {
    section.hidden = section.querySelector(".scenario") !== null && section.querySelector(".scenario:not([hidden])") === null;
  }
  found.textContent = shown + " of " + scenarios.length + " scenarios";
};
search.addEventListener("input", apply);
status.addEventListener("change", apply);
const setOpen = (open) => { for (const each of scenarios) if (!each.hidden) each.open = open; };
byId("open").addEventListener("click", () => setOpen(true));
byId("close").addEventListener("click", () => setOpen(false));
const follow = () => {
  const target = location.hash && byId(decodeURIComponent(location.hash.slice(1)));
  if (!target || !target.classList.contains("scenario")) return;
  if (target.hidden) { search.value = ""; status.value = ""; apply(); }
  target.open = true;
  target.scrollIntoView();
};
addEventListener("hashchange", follow);
addEventListener("keydown", (event) => {
  if (event.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) { event.preventDefault(); search.focus(); }
  if (event.key === "Escape" && event.target === search) { search.value = ""; apply(); }
});
document.addEventListener("click", async (event) => {
  if (!event.target.classList.contains("copy")) return;
  const code = event.target.parentElement.querySelector("code");
  try {
    await navigator.clipboard.writeText(code.textContent);
    event.target.textContent = "copied";
  } catch {
    getSelection().selectAllChildren(code);
    event.target.textContent = "selected";
  }
  setTimeout(() => { event.target.textContent = "copy"; }, 2000);
});
for (const control of document.querySelectorAll(".scripted")) control.hidden = false;
apply();
follow();
`;
