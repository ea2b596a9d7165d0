// The look of imgsim's pages: light and dark by the reader's preference, from a phone's width to a desk's.
#pragma once

#include <string_view>

namespace imgsim::detail {

// The colours of every page: those that stand alone and that of imgsim serve, which is given them as colours.css. Text
// contrast is at least 4.5:1 on both grounds (WCAG 2.1, AA).
inline constexpr std::string_view kPageColours = R"css(:root {
  color-scheme: light dark;
  --paper: #f6f7f9; --card: #fff; --line: #dcdee6; --ink: #1c1e26; --muted: #5b5f6e;
  --accent: #2563cd; --on-accent: #fff; --tint: #e8effb; --medoid: #a85508; --shade: rgb(20 24 40 / 12%);
  --font: system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #121319; --card: #1b1d24; --line: #30333e; --ink: #f0f1f5; --muted: #a9aebd;
    --accent: #7cacff; --on-accent: #10131c; --tint: #222b3d; --medoid: #ffab66; --shade: rgb(0 0 0 / 50%);
  }
}
)css";

inline constexpr std::string_view kPageStyle = R"css(
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 var(--font);overflow-wrap:anywhere}
.wrap{max-width:1120px;margin:0 auto;padding:28px 20px 56px}
h1{font-size:1.75rem;line-height:1.2;letter-spacing:-.01em;margin:0 0 .35rem}
h2{font-size:1.3rem;margin:0 0 .75rem}
h3{font-size:1.05rem;margin:1.75rem 0 .5rem}
h3 .note{font-weight:400;color:var(--muted);margin-left:.4rem}
p{margin:.25rem 0 1rem;max-width:72ch}
.muted,footer{color:var(--muted)}
a{color:var(--accent)}
nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:.25rem 1.1rem;padding:0;margin:.5rem 0 0}
section{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:22px 24px;margin-top:22px}
dl.facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:12px 20px;margin:0 0 1rem}
dl.facts dt{color:var(--muted);font-size:.85rem}
dl.facts dd{margin:0;font-weight:600}
ul.cards{list-style:none;margin:0 0 1rem;padding:0;display:grid;gap:14px;grid-template-columns:repeat(auto-fill,minmax(164px,1fr))}
ul.cards.small{gap:8px;grid-template-columns:repeat(auto-fill,minmax(92px,1fr))}
figure{margin:0;border:1px solid var(--line);border-radius:10px;overflow:hidden;background:var(--card);height:100%}
figure.framed{border-color:var(--medoid);box-shadow:0 0 0 2px var(--medoid)}
figure img,figure .missing{display:block;width:100%;height:auto;aspect-ratio:1;object-fit:contain;background:var(--paper)}
figure .missing{display:grid;place-items:center;color:var(--muted);font-size:.85rem;text-align:center;padding:6px}
figcaption{padding:8px 10px;font-size:.85rem;line-height:1.35}
.small figcaption{padding:4px 6px;font-size:.75rem}
figcaption .top{display:flex;justify-content:space-between;gap:.5rem;font-weight:600;font-variant-numeric:tabular-nums}
figcaption .badge{color:var(--accent)}
figure.framed .badge{color:var(--medoid)}
.path{display:block;color:var(--muted)}
figure.large{max-width:360px;margin:0 auto 20px;height:auto;border:2px solid var(--accent)}
figure.large img{aspect-ratio:auto}
.plot{margin:0 0 1rem;overflow-x:auto}
.plot svg{max-width:100%;height:auto;display:block}
.table{overflow-x:auto;margin:0 0 1rem}
table{border-collapse:collapse;font-size:.92rem;font-variant-numeric:tabular-nums}
th,td{padding:6px 14px 6px 0;text-align:left;border-bottom:1px solid var(--line)}
th{color:var(--muted);font-weight:600;white-space:nowrap}
th.right,td.right{text-align:right;white-space:nowrap}
td{overflow-wrap:normal}
td.long{overflow-wrap:anywhere;min-width:18ch}
footer{margin-top:22px;font-size:.85rem}
@media(max-width:520px){.wrap{padding:16px 10px 32px}section{padding:16px 12px;border-radius:8px}h1{font-size:1.4rem}
ul.cards{gap:8px;grid-template-columns:repeat(auto-fill,minmax(132px,1fr))}ul.cards.small{grid-template-columns:repeat(auto-fill,minmax(72px,1fr))}}
@media print{body{background:#fff}section{break-inside:avoid;border:0;padding:0}}
)css";

}  // namespace imgsim::detail
