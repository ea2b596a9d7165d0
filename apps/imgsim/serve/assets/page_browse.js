// All photos, filtered by their names.
import {counted, element, say, whenQuiet} from './dom.js';
import {collection, shownName} from './collection.js';
import {PhotoGrid} from './grid.js';

export function show(main, {parameters, replaceParameters}) {
  const lowered = collection.paths.map((path) => shownName(path).toLowerCase());
  const count = element('p', {class: 'quiet number'});
  const filter = element('input', {type: 'search', id: 'filter', placeholder: 'Filter by name', 'aria-label': 'Filter by name', autocomplete: 'off',
    spellcheck: 'false', value: parameters.get('name') ?? '', 'aria-keyshortcuts': 'Control+K', title: 'Control K leads here'});
  main.append(element('div', {class: 'head'},
    element('div', {class: 'what'}, element('h1', {tabindex: -1}, element('bdi', {}, shownName(collection.info.name) || 'Photos')), count), filter));
  const grid = new PhotoGrid(main, {cell: 150, label: 'Photos'});
  const nothing = element('p', {class: 'quiet', hidden: true}, 'No photo has a name like this.');
  main.append(nothing);

  const apply = () => {
    // Every word has to be in the name.
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const rows = [];
    lowered.forEach((name, row) => {
      if (words.every((word) => name.includes(word))) rows.push(row);
    });
    grid.active = 0;
    grid.show(rows);
    nothing.hidden = rows.length > 0;
    count.textContent = words.length ? `${rows.length.toLocaleString('en')} of ${counted(collection.paths.length, 'photo')}` : counted(collection.paths.length, 'photo');
    return rows.length;
  };
  const remember = whenQuiet(300, () => {
    replaceParameters(filter.value ? new URLSearchParams({name: filter.value}) : new URLSearchParams());
    say(counted(grid.rows.length, 'photo'));
  });
  filter.addEventListener('input', () => {
    scrollTo({top: 0});
    apply();
    remember();
  });
  filter.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowDown' || event.key === 'Enter') {
      event.preventDefault();
      grid.focus(0);
    } else if (event.key === 'Escape' && filter.value) {
      event.stopPropagation();
      filter.value = '';
      filter.dispatchEvent(new Event('input'));
    }
  });
  apply();
  return {title: 'Photos', destroy: () => grid.destroy(), focusRow: (row) => grid.focusRow(row)};
}
