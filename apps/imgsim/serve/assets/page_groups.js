// The groups of the last clustering, one of them, and how many there might be.
import {counted, element, shellWord} from './dom.js';
import {ask, collection, groupPage} from './collection.js';
import {PhotoGrid} from './grid.js';
import {groupDot, thumbnail, tile} from './tile.js';
import {addCurve} from './curve.js';

const kMethods = {'k-medoids': 'K-medoids', 'k-means': 'k-means', silhouette: 'medoids of the best silhouette', cover: 'a cover'};

const bySize = (groups) => groups.clusters.map((rows, group) => ({group, rows})).sort((a, b) => b.rows.length - a.rows.length || a.group - b.group);

function card({group, rows}, medoid) {
  const others = rows.filter((row) => row !== medoid);
  // Spread over the group: the first ones by name are often alike.
  const shown = [0, 1, 2].map((i) => others[Math.floor((i + 0.5) * others.length / 3)]).filter((row, i, all) => row !== undefined && all.indexOf(row) === i);
  return element('li', {}, element('a', {class: 'card', href: groupPage(group), 'data-group': group},
    element('span', {class: 'mosaic', 'aria-hidden': 'true'}, thumbnail(medoid), ...shown.map(thumbnail)),
    element('span', {class: 'text'}, element('b', {}, groupDot(group), `Group ${group}`), element('span', {class: 'quiet number'}, counted(rows.length, 'photo')))));
}

export async function show(main, route) {
  const groups = await ask('api/groups', {signal: route.signal});
  if (route.rest && groups.k > 0) return showOne(main, groups, /^\d+$/.test(route.rest) ? Number(route.rest) : -1, route);
  const head = element('div', {class: 'what'}, element('h1', {tabindex: -1}, groups.k ? counted(groups.k, 'group') : 'No groups yet'));
  main.append(element('div', {class: 'head'}, head));
  if (groups.k) {
    head.append(element('p', {class: 'quiet'}, `by ${kMethods[groups.method] ?? groups.method}${groups.metric ? `, ${groups.metric}` : ''}${groups.reach_text ? `, every photo within ${groups.reach_text} of its medoid` : ''}; each stands behind its most typical photo`));
    main.append(element('ul', {class: 'cards'}, ...bySize(groups).map((one) => card(one, groups.medoids[one.group]))));
    if (groups.outliers.length) {
      main.append(element('section', {class: 'panel'}, element('h2', {}, `${counted(groups.outliers.length, 'photo')} in no group${groups.outlier_text ? `: farther than ${groups.outlier_text} from every medoid` : ''}`),
        element('ul', {class: 'strip'}, ...groups.outliers.slice(0, 60).map((row) => element('li', {}, tile(row))))));
    }
  } else {
    head.append(element('p', {}, 'Make them in a terminal; this page shows them when they are there: ', element('code', {}, `imgsim cluster --index ${shellWord(collection.info.index)} -k auto`)));
  }
  const curve = addCurve(main);
  return {title: 'Groups', destroy: () => curve.destroy()};
}

async function showOne(main, groups, group, route) {
  if (!(group >= 0 && group < groups.k)) {
    main.append(element('h1', {tabindex: -1}, 'No such group'), element('p', {}, element('a', {href: '#/groups'}, 'All groups')));
    return {title: 'No such group'};
  }
  const medoid = groups.medoids[group];
  const order = bySize(groups).map((one) => one.group);
  const place = order.indexOf(group);
  const around = element('div', {class: 'around'});
  if (place > 0) around.append(element('a', {class: 'button', href: groupPage(order[place - 1]), 'aria-label': 'Previous group, by size'}, '← Previous'));
  if (place + 1 < order.length) around.append(element('a', {class: 'button', href: groupPage(order[place + 1]), 'aria-label': 'Next group, by size'}, 'Next →'));
  main.append(element('div', {class: 'head medoid-head'}, tile(medoid, [element('span', {class: 'badge'}, 'medoid')]),
    element('div', {class: 'what'}, element('a', {href: '#/groups'}, 'All groups'), element('h1', {tabindex: -1}, groupDot(group), `Group ${group}`),
      element('p', {class: 'quiet number'}, `${counted(groups.clusters[group].length, 'photo')}, the nearest to its medoid first`)), around));
  const members = new Set(groups.clusters[group]);
  const metric = collection.info.metrics.includes(groups.metric) ? groups.metric : collection.info.metrics[0];
  const near = await ask(`api/neighbours?row=${medoid}&n=${collection.paths.length}&metric=${metric}`, {signal: route.signal});
  const rows = [medoid, ...near.matches.map((match) => match.row).filter((row) => members.has(row) && row !== medoid)];
  const grid = new PhotoGrid(main, {cell: 150, label: `Photos of group ${group}`});
  grid.show(rows);
  return {title: `Group ${group}`, destroy: () => grid.destroy(), focusRow: (row) => grid.focusRow(row)};
}
