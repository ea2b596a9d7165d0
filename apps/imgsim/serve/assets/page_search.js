// Photos like one that was dropped, pasted or chosen. It goes to the server to be compared and is not kept there.
import {element} from './dom.js';
import {ask, collection, groupPage} from './collection.js';
import {groupDot} from './tile.js';
import {addressOf, queryOf, settingsOf} from './settings.js';
import {Matches} from './matches.js';

let photo = null;  // {blob, name, address}, as long as this page is open

/** Remembers what the next show() is about. */
export function setPhoto(blob, name) {
  if (photo) URL.revokeObjectURL(photo.address);
  photo = {blob, name, address: URL.createObjectURL(blob)};
}

export function show(main, {parameters, replaceAddress, choosePhoto}) {
  if (!photo) {
    main.append(element('h1', {tabindex: -1}, 'Search with a photo'),
      element('p', {}, collection.info.searches_new_photos ?
        'Drop a photo anywhere on this page, paste one, or choose a file. JPEG, PNG and WebP, up to 32 MiB. It is compared and not kept.' :
        'This index holds no model that can be used, so that new photos cannot be compared with its photos.'));
    if (collection.info.searches_new_photos) main.append(element('button', {type: 'button', class: 'primary', onclick: choosePhoto}, 'Choose a photo'));
    return {title: 'Search with a photo'};
  }
  const settings = settingsOf(parameters);
  const image = element('img', {src: photo.address, alt: 'The photo searched with'});
  image.addEventListener('error', () => image.replaceWith(element('span', {class: 'missing'}, 'the browser cannot show this file')));
  const facts = element('dl', {class: 'facts'});
  const found = element('section', {'aria-labelledby': 'matches-heading'});
  main.append(element('div', {class: 'photo-page'},
    element('aside', {'aria-label': 'The photo searched with'}, element('figure', {class: 'shown'}, image),
      element('h1', {tabindex: -1}, element('bdi', {}, photo.name)), facts,
      element('div', {class: 'more'}, element('button', {type: 'button', onclick: choosePhoto}, 'Another photo'))), found));
  const body = photo.blob;
  const matches = new Matches(found, {
    heading: 'Most similar',
    settings,
    ask: (wanted, signal) => {
      if (body.size > collection.info.max_upload) throw new Error('The photo has more than 32 MiB; make it smaller to search with it.');
      return ask(`api/search?${queryOf(wanted)}`, {method: 'POST', body, headers: {'Content-Type': 'application/octet-stream'}, signal});
    },
    changed: (now) => replaceAddress('#/search' + addressOf(now)),
  });
  const ready = matches.load().then((answer) => {
    if (!answer?.group) return;
    const {group, outlier} = answer.group;
    facts.append(element('dt', {}, 'Group'), element('dd', {}, element('a', {href: groupPage(group)}, groupDot(group), `Group ${group}`), outlier ? ', but far from its photos' : ''));
  });
  return {title: photo.name, ready, destroy: () => matches.destroy(), focusRow: (to) => matches.grid.focusRow(to)};
}
