// Photos that are one photo.
import {counted, element} from './dom.js';
import {collection, fileName, shownName} from './collection.js';
import {tile} from './tile.js';
import {watch} from './background.js';

const kShown = 300;  // groups

function tieOf(group, row) {
  let closest = null;
  for (const link of group.links) {
    if (link.a !== row && link.b !== row) continue;
    if (link.exact) return 'same file';
    if (!closest || link.difference < closest.difference) closest = link;
  }
  return closest?.mirrored ? 'mirrored' : 'near-identical';
}

/** Which is which: a copy often differs by its name or its folder alone, and a finger has nothing to hover with. */
function captionOf(group, row) {
  const path = collection.paths[row], folder = path.slice(0, Math.max(path.lastIndexOf('/'), 0));
  return [element('bdi', {class: 'label'}, fileName(row)), folder && element('bdi', {class: 'label place'}, shownName(folder)),
    element('span', {class: 'place'}, tieOf(group, row))].filter(Boolean);
}

function section(group, at) {
  const kind = group.exact ? 'the same file' : `near-identical, precision ${group.precision.toFixed(3)}`;
  return element('section', {class: 'pair-group', 'aria-labelledby': `duplicates-${at}`},
    element('h2', {id: `duplicates-${at}`}, `${counted(group.photos.length, 'photo')} `, element('span', {class: 'quiet'}, kind)),
    element('ul', {class: 'strip large'}, ...group.photos.map(({row}) => element('li', {}, tile(row, captionOf(group, row), {title: shownName(collection.paths[row])})))));
}

export function show(main) {
  const summary = element('p', {class: 'quiet'});
  main.append(element('div', {class: 'head'}, element('div', {class: 'what'}, element('h1', {tabindex: -1}, 'Duplicates'), summary)));
  const host = element('div');
  main.append(host);
  const task = watch(host, 'api/duplicates', {
    explanation: 'Looks for photos that are the same file, or the same picture re-encoded, resized, brightened, mirrored or cropped a little. Every photo is read once.',
    button: 'Look for duplicates',
    running: 'Reading and comparing the photos…',
    done: (found) => {
      const photos = found.groups.reduce((sum, group) => sum + group.photos.length, 0);
      summary.textContent = found.groups.length ?
        `${counted(found.groups.length, 'group')} of ${counted(photos, 'photo')}; near-identical ones at precision ${found.precision}, at most ${found.expected_false.toPrecision(2)} expected to be wrong` :
        `None among ${counted(found.photos, 'photo')}.`;
      if (found.no_estimate) host.append(element('p', {class: 'quiet'}, `Near-identical photos are not told: ${found.no_estimate}.`));
      host.append(...found.groups.slice(0, kShown).map(section));
      if (found.groups.length > kShown) host.append(element('p', {class: 'quiet'}, `and ${counted(found.groups.length - kShown, 'more group')}; imgsim duplicates lists them all.`));
      if (found.skipped.length) {
        host.append(element('section', {class: 'panel'}, element('h2', {}, `${counted(found.skipped.length, 'photo')} could not be compared`),
          element('ul', {}, ...found.skipped.slice(0, 50).map((one) => element('li', {}, element('bdi', {}, shownName(one.path)), `: ${shownName(one.reason)}`)))));
      }
    },
  });
  return {title: 'Duplicates', destroy: () => task.destroy()};
}
