// Which page is shown: the address after # says it, so that the back button and a copied link lead to the same place.
import {element, say} from './dom.js';
import {collection, onReload, Refused, reload, rowOf} from './collection.js';
import {follow} from './following.js';
import * as browse from './page_browse.js';
import * as photo from './page_photo.js';
import * as search from './page_search.js';
import * as groups from './page_groups.js';
import * as map from './page_map.js';
import * as duplicates from './page_duplicates.js';

const kPages = {'': browse, photo, search, groups, map, duplicates};
const kAskAgain = 3000;  // ms
const kTabs = {'': 'browse', groups: 'groups', map: 'map', duplicates: 'duplicates'};
const main = document.getElementById('main');
const notices = document.getElementById('notices');

/** Where each entry of the history was left: {scroll, row}. */
const leftAt = new Map();
let entry = null;
let current = null;
let leaving = new AbortController();
let arrivals = 0;

function routeOf(hash) {
  const [path, query = ''] = hash.replace(/^#\/?/, '').split('?');
  const slash = path.indexOf('/');
  const page = slash < 0 ? path : path.slice(0, slash);
  let rest = slash < 0 ? '' : path.slice(slash + 1);
  try {
    rest = decodeURIComponent(rest);
  } catch {
    // A link that was cut: it is no photo's.
  }
  return {page, rest, parameters: new URLSearchParams(query)};
}

function replaceAddress(hash) {
  history.replaceState(history.state, '', hash);
}

function rememberPlace() {
  if (entry === null) return;
  const row = document.activeElement?.closest?.('[data-row]')?.dataset.row;
  leftAt.set(entry, {scroll: scrollY, row: row === undefined ? null : Number(row)});
}

/** Where the reader is on a page that is about to be made anew: rows have other numbers then, paths stay. */
function placeNow() {
  const focused = document.activeElement;
  const {selectionStart, selectionEnd} = focused ?? {};
  return {scroll: scrollY, id: main.contains(focused) ? focused.id : '', selection: Number.isInteger(selectionStart) ? [selectionStart, selectionEnd] : null,
    path: decodeURIComponent(focused?.closest?.('a[data-row]')?.hash.slice('#/photo/'.length).split('?')[0] ?? '')};
}

function returnTo(place, shown) {
  scrollTo({top: place.scroll});
  const row = rowOf(place.path);
  if (row !== undefined) {
    shown.focusRow?.(row);
  } else if (place.id) {
    const focused = document.getElementById(place.id);
    focused?.focus({preventScroll: true});
    if (place.selection) focused?.setSelectionRange(...place.selection);
  }
}

async function arrive({isReplaced = false, at = null} = {}) {
  const arrival = ++arrivals;
  if (!isReplaced) say('');  // what was said of the page before
  leaving.abort();
  leaving = new AbortController();
  current?.destroy?.();
  current = null;
  const place = isReplaced ? null : leftAt.get(history.state?.entry);
  if (history.state?.entry === undefined) history.replaceState({entry: crypto.getRandomValues(new Uint32Array(1))[0]}, '', location.href);
  entry = history.state.entry;

  const route = routeOf(location.hash);
  const page = kPages[route.page];
  for (const link of document.querySelectorAll('nav a')) {
    if (link.dataset.page === kTabs[route.page]) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  main.replaceChildren();
  delete main.dataset.ready;
  const context = {...route, signal: leaving.signal, replaceAddress, choosePhoto,
    replaceParameters: (parameters) => replaceAddress(location.hash.split('?')[0] + (parameters.size ? `?${parameters}` : ''))};
  let shown;
  try {
    if (!page) throw new Refused(404, 'There is no such page.');
    shown = await page.show(main, context);
  } catch (failure) {
    if (arrival !== arrivals || failure.name === 'AbortError') return;
    main.replaceChildren(element('h1', {tabindex: -1}, 'This cannot be shown'), element('p', {class: 'fault'}, failure.message), element('p', {}, element('a', {href: '#/'}, 'All photos')));
    shown = {title: 'This cannot be shown', isFault: true};
  }
  if (arrival !== arrivals) {
    shown.destroy?.();
    return;
  }
  current = shown;
  document.title = `${shown.title} · imgsim`;
  if (place) {
    await shown.ready;
    if (arrival !== arrivals) return;
    scrollTo({top: place.scroll});
    if (place.row !== null && shown.focusRow) shown.focusRow(place.row);
  } else if (at) {
    await shown.ready;
    if (arrival !== arrivals) return;
    returnTo(at, shown);
  } else if (!isReplaced) {
    scrollTo({top: 0});
    if (arrival > 1) main.querySelector('h1')?.focus({preventScroll: true});
  }
  main.dataset.ready = location.hash;  // for whoever waits for it
}

function tellFaults(unreachable = null) {
  const faults = unreachable === null ? collection.info.faults : [unreachable];
  notices.replaceChildren(...faults.map((fault) => element('p', {role: 'alert'}, fault)));
  document.getElementById('choose-photo').hidden = !collection.info.searches_new_photos;
}

/* A new photo to search with: chosen, dropped or pasted. */
const file = document.getElementById('photo-file');
function choosePhoto() {
  file.value = '';
  file.click();
}
function searchWith(blob, name) {
  if (!collection.info?.searches_new_photos) return;
  search.setPhoto(blob, name || 'Pasted photo');
  if (routeOf(location.hash).page === 'search') arrive({isReplaced: true});
  else location.hash = '#/search';
}
const photoOf = (transfer) => [...(transfer?.files ?? [])].find((one) => one.type.startsWith('image/') || /\.(jpe?g|png|webp)$/i.test(one.name));
document.getElementById('choose-photo').addEventListener('click', choosePhoto);
file.addEventListener('change', () => file.files.length && searchWith(file.files[0], file.files[0].name));
addEventListener('paste', (event) => {
  const pasted = photoOf(event.clipboardData);
  if (pasted) searchWith(pasted, pasted.name);
});
const target = document.getElementById('drop-target');
// Text that is dropped is its field's.
const bringsFiles = (event) => [...event.dataTransfer.types].includes('Files');
addEventListener('dragenter', (event) => {
  if (bringsFiles(event)) target.hidden = !collection.info?.searches_new_photos;
});
addEventListener('dragover', (event) => bringsFiles(event) && event.preventDefault());
target.addEventListener('dragleave', () => target.hidden = true);
addEventListener('drop', (event) => {
  if (!bringsFiles(event)) return;
  event.preventDefault();
  target.hidden = true;
  const dropped = photoOf(event.dataTransfer);
  if (dropped) searchWith(dropped, dropped.name);
  else if (event.dataTransfer.files.length) say('That file is no photo: JPEG, PNG and WebP can be searched with.');
});

/* Keys that mean the same on every page: none of them a character alone, which who speaks to the computer may say. */
addEventListener('keydown', (event) => {
  if (event.isComposing) return;
  if (event.key === 'Escape' && !target.hidden) target.hidden = true;
  else if (event.key === 'Escape' && location.hash.replace(/^#\/?/, '')) location.hash = routeOf(location.hash).page === 'groups' && routeOf(location.hash).rest ? '#/groups' : '#/';
  else if (event.key.toLowerCase() === 'k' && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey) {
    event.preventDefault();
    const filter = document.getElementById('filter');
    if (filter) filter.focus();
    else location.hash = '#/';
  }
});
document.getElementById('skip').addEventListener('click', () => main.querySelector('h1')?.focus());

// A link is followed or the back button pressed: what is left is still in place.
history.scrollRestoration = 'manual';
addEventListener('popstate', () => {
  rememberPlace();
  if (collection.info) arrive();
});

// The index may be replaced while the page lies open, and the server end and begin again.
onReload((isAnother) => {
  tellFaults();
  if (isAnother) {
    const at = placeNow();
    say('The index has changed; its new version is shown.');
    arrive({isReplaced: true, at});
  }
});

while (!collection.info) {
  try {
    await reload();
  } catch (failure) {
    main.replaceChildren(element('h1', {tabindex: -1}, 'The collection cannot be opened'), element('p', {class: 'fault'}, failure.message),
      element('p', {class: 'quiet'}, 'This page asks again every few seconds.'));
    await new Promise((resolve) => setTimeout(resolve, kAskAgain));
  }
}
await arrive();
follow((unreachable) => {
  tellFaults(unreachable);
  if (unreachable === null && current?.isFault) arrive({isReplaced: true});
});
