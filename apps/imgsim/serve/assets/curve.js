// How many groups? The error and the silhouette against K, and the medoids of the K that is looked at.
import {drawn, element} from './dom.js';
import {tile} from './tile.js';
import {watch} from './background.js';

const kWidth = 900, kHeight = 260, kLeft = 60, kRight = 60, kTop = 14, kBottom = 30;

const scale = (low, high, from, to) => (value) => from + (high > low ? (value - low) / (high - low) : 0.5) * (to - from);

function line(curve, x, y, value, style) {
  const points = curve.map((one) => `${x(one.k).toFixed(1)},${y(value(one)).toFixed(1)}`).join(' ');
  return drawn('polyline', {class: `line ${style}`, points});
}

function ticks(low, high, count) {
  const rough = (high - low) / count || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
  const values = [];
  for (let value = Math.ceil(low / step) * step; value <= high + step * 1e-9; value += step) values.push(value);
  return values;
}

const short = (value) => Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en') : Number(value.toPrecision(3)).toString();

function chart(found, chosen) {
  const curve = found.curve;
  const costs = curve.map((one) => one.cost), silhouettes = curve.map((one) => one.medoid_silhouette);
  const x = scale(curve[0].k, curve.at(-1).k, kLeft, kWidth - kRight);
  const y = scale(0, Math.max(...costs), kHeight - kBottom, kTop);
  const y2 = scale(Math.min(0, ...silhouettes), Math.max(...silhouettes), kHeight - kBottom, kTop);
  const at = curve.find((one) => one.k === chosen);
  const svg = drawn('svg', {class: 'curve', viewBox: `0 0 ${kWidth} ${kHeight}`, role: 'img',
    'aria-label': `Error and silhouette for ${curve[0].k} to ${curve.at(-1).k} groups; at ${chosen} the error is ${short(at.cost)}, the silhouette ${at.medoid_silhouette.toFixed(3)}`});
  for (const value of ticks(0, Math.max(...costs), 4)) {
    svg.append(drawn('line', {class: 'axis', x1: kLeft, x2: kWidth - kRight, y1: y(value), y2: y(value)}),
      drawn('text', {x: kLeft - 8, y: y(value) + 4, 'text-anchor': 'end'}, short(value)));
  }
  for (const value of ticks(Math.min(0, ...silhouettes), Math.max(...silhouettes), 4))
    svg.append(drawn('text', {x: kWidth - kRight + 8, y: y2(value) + 4}, short(value)));
  for (const value of ticks(curve[0].k, curve.at(-1).k, 10).filter(Number.isInteger))
    svg.append(drawn('text', {x: x(value), y: kHeight - 10, 'text-anchor': 'middle'}, String(value)));
  svg.append(drawn('line', {class: 'mark', x1: x(found.recommended_k), x2: x(found.recommended_k), y1: kTop, y2: kHeight - kBottom}));
  svg.append(line(curve, x, y, (one) => one.cost, ''), line(curve, x, y2, (one) => one.medoid_silhouette, 'second'));
  svg.append(drawn('line', {class: 'here', x1: x(chosen), x2: x(chosen), y1: kTop, y2: kHeight - kBottom}),
    drawn('circle', {class: 'knob', cx: x(chosen), cy: y(at.cost), r: 5}), drawn('circle', {class: 'knob second', cx: x(chosen), cy: y2(at.medoid_silhouette), r: 5}));
  return svg;
}

function explore(host, found) {
  if (!found.curve.length) return;
  const first = found.curve[0].k, last = found.curve.at(-1).k;
  let chosen = Math.max(first, Math.min(found.recommended_k, last));
  const plot = element('div'), medoids = element('ul', {class: 'strip'}), told = element('p', {class: 'number'});
  const range = element('input', {type: 'range', id: 'k', min: first, max: last, value: chosen, oninput: () => {
    chosen = Number(range.value);
    draw();
  }});
  const draw = () => {
    const at = found.curve.find((one) => one.k === chosen);
    plot.replaceChildren(chart(found, chosen));
    told.textContent = `${chosen} groups: error ${short(at.cost)}, medoid silhouette ${at.medoid_silhouette.toFixed(3)}${chosen === found.recommended_k ? ' (recommended)' : ''}`;
    medoids.replaceChildren(...at.medoids.map((row) => element('li', {}, tile(row))));
  };
  plot.addEventListener('click', (event) => {
    const box = plot.firstElementChild.getBoundingClientRect();
    const along = ((event.clientX - box.left) / box.width * kWidth - kLeft) / (kWidth - kLeft - kRight);
    chosen = Math.max(first, Math.min(last, Math.round(first + along * (last - first))));
    range.value = chosen;
    draw();
  });
  const dot = (style) => {
    const mark = element('span', {class: 'dot', 'aria-hidden': 'true'});
    mark.style.setProperty('--dot', style);
    return mark;
  };
  host.append(element('p', {}, `${found.verdict}: ${found.reason}`),
    element('p', {class: 'key'}, element('span', {}, dot('var(--accent)'), 'error: sum of the distances to the medoids (left)'), element('span', {}, dot('var(--medoid)'), 'medoid silhouette (right)')),
    plot, element('label', {for: 'k'}, 'Number of groups to look at'), range, told, element('h3', {}, 'Their medoids'), medoids);
  draw();
}

/** A panel that compares numbers of groups when asked to. */
export function addCurve(main) {
  const host = element('div');
  main.append(element('section', {class: 'panel', 'aria-labelledby': 'curve-heading'}, element('h2', {id: 'curve-heading'}, 'How many groups?'), host));
  return watch(host, 'api/choose-k', {
    explanation: 'Groups the photos for every K up to 100 and compares error, silhouette, stability and the gap statistic; of some thousands of photos this takes seconds, of twenty thousand and more minutes.',
    button: 'Compare numbers of groups',
    running: 'Grouping the photos for every K…',
    done: (found) => explore(host, found),
  });
}
