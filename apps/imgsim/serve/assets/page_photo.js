// One photo and those most like it.
import {element} from './dom.js';
import {ask, collection, groupPage, photoPage, rowOf, shownName} from './collection.js';
import {fullPicture, groupDot} from './tile.js';
import {addressOf, queryOf, settingsOf} from './settings.js';
import {Matches} from './matches.js';

export function show(main, {rest, parameters, replaceAddress}) {
  const row = rowOf(rest);
  if (row === undefined) {
    main.append(element('h1', {tabindex: -1}, 'No such photo'),
      element('p', {}, 'The index holds no photo called ', element('code', {}, element('bdi', {}, shownName(rest))), '. It may have been removed.'),
      element('p', {}, element('a', {href: '#/'}, 'All photos')));
    return {title: 'No such photo'};
  }
  const settings = settingsOf(parameters);
  const path = shownName(collection.paths[row]);
  const name = path.slice(path.lastIndexOf('/') + 1);
  const facts = element('dl', {class: 'facts'});
  const addFact = (term, ...value) => facts.append(element('dt', {}, term), element('dd', {}, ...value));
  if (path !== name) addFact('Folder', element('bdi', {}, path.slice(0, -name.length - 1)));
  const group = collection.groups?.[row];
  if (collection.groups) addFact('Group', group === null ? 'in none' : element('a', {href: groupPage(group)}, groupDot(group), `Group ${group}`));
  const image = fullPicture(row);
  image.querySelector('img')?.addEventListener('load', (event) => addFact('Size', `${event.target.naturalWidth} × ${event.target.naturalHeight}`), {once: true});

  const step = (text, to, description) => element('a', {class: 'button', href: photoPage(to) + addressOf(settings), 'aria-label': description}, text);
  const steps = element('div', {class: 'more'});
  if (row > 0) steps.append(step('← Previous', row - 1, 'Previous photo by name'));
  if (row + 1 < collection.paths.length) steps.append(step('Next →', row + 1, 'Next photo by name'));
  const found = element('section', {'aria-labelledby': 'matches-heading'});
  main.append(element('div', {class: 'photo-page'},
    element('aside', {'aria-label': 'This photo'}, image, element('h1', {tabindex: -1}, element('bdi', {}, name)), facts, steps), found));
  const matches = new Matches(found, {
    heading: 'Most similar',
    settings,
    ask: (wanted, signal) => ask(`api/neighbours?row=${row}&${queryOf(wanted)}`, {signal}),
    changed: (now) => replaceAddress(photoPage(row) + addressOf(now)),
  });
  const ready = matches.load();
  return {title: name, ready, destroy: () => matches.destroy(), focusRow: (to) => matches.grid.focusRow(to)};
}
