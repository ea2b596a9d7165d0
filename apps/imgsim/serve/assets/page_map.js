// All photos on a plane. Far out they are dots, coloured by group; close up they are photos.
import {element, oncePerFrame, say} from './dom.js';
import {collection, fileName, groupColour, photoPage, thumbnailOf} from './collection.js';
import {groupDot, thumbnail} from './tile.js';
import {watch} from './background.js';

const kMinZoom = 0.7, kMaxZoom = 60;
const kPhotosDrawn = 140;  // so many or fewer in sight are drawn as photos
const kImagesKept = 3 * kPhotosDrawn;
const kMargin = 30;

class PhotoMap {
  constructor(host, {x, y}, start, moved) {
    Object.assign(this, {x, y, moved, host});
    this.view = start;  // centre in [0, 1] and zoom
    const extent = (values) => values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [1, 0]);
    const [left, right] = extent(x), [top, bottom] = extent(y);
    this.size = [Math.max(right - left, 1e-3), Math.max(bottom - top, 1e-3)];
    this.images = new Map();
    this.isTurned = false;
    this.chosen = -1;
    this.onlyGroup = null;
    this.isDark = matchMedia('(prefers-color-scheme: dark)');
    this.canvas = element('canvas', {tabindex: 0, role: 'application', 'aria-roledescription': 'map', 'aria-label':
      'Map of the photos. Arrow keys go to the next photo in a direction, Enter opens it, plus and minus zoom, 0 shows all.'});
    this.peek = element('div', {class: 'peek', hidden: true});
    this.draw = oncePerFrame(() => this.render());
    const button = (text, name, action) => element('button', {type: 'button', 'aria-label': name, title: name, onclick: action}, text);
    host.append(this.canvas, this.peek, element('div', {class: 'zoom'}, button('+', 'Zoom in', () => this.zoom(1.6)), button('−', 'Zoom out', () => this.zoom(1 / 1.6)),
      button('⤢', 'Show all', () => this.showAll())));
    this.pointers = new Map();
    for (const [name, action] of Object.entries({pointerdown: this.press, pointermove: this.drag, pointerup: this.release, pointercancel: this.release, pointerleave: this.leave, keydown: this.key}))
      this.canvas.addEventListener(name, (event) => action.call(this, event));
    this.canvas.addEventListener('wheel', (event) => {
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0018)), this.pointOf(event));
    }, {passive: false});
    this.canvas.addEventListener('blur', () => this.choose(-1));
    this.resized = new ResizeObserver(() => this.layOut());
    this.resized.observe(this.canvas);
    this.isDark.addEventListener('change', this.draw);
  }

  destroy() {
    this.resized.disconnect();
    this.isDark.removeEventListener('change', this.draw);
    this.images.clear();
    this.width = 0;  // a frame that was asked for, by a picture on its way, too, draws nothing
  }

  layOut() {
    const sharp = Math.min(devicePixelRatio || 1, 2);
    this.width = this.canvas.clientWidth;
    this.height = this.canvas.clientHeight;
    this.canvas.width = Math.round(this.width * sharp);
    this.canvas.height = Math.round(this.height * sharp);
    this.sharp = sharp;
    // The longer side of the map along the longer side of the page.
    const isTurned = this.height > this.width;
    if (isTurned !== this.isTurned) {
      this.isTurned = isTurned;
      [this.x, this.y] = [this.y, this.x];
      [this.view.x, this.view.y] = [this.view.y, this.view.x];
      this.size.reverse();
    }
    this.render();
  }

  get unit() {
    return Math.min((this.width - 2 * kMargin) / this.size[0], (this.height - 2 * kMargin) / this.size[1]) * this.view.zoom;
  }
  toScreen(row) {
    return [(this.x[row] - this.view.x) * this.unit + this.width / 2, (this.y[row] - this.view.y) * this.unit + this.height / 2];
  }
  pointOf(event) {
    const box = this.canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }
  isShown(row) {
    return this.onlyGroup === null || collection.groups?.[row] === this.onlyGroup;
  }
  rowsInSight() {
    const rows = [];
    for (let row = 0; row < this.x.length; ++row) {
      const [x, y] = this.toScreen(row);
      if (this.isShown(row) && x > -40 && y > -40 && x < this.width + 40 && y < this.height + 40) rows.push(row);
    }
    return rows;
  }

  render() {
    if (!this.width) return;
    const pen = this.canvas.getContext('2d');
    pen.setTransform(this.sharp, 0, 0, this.sharp, 0, 0);
    pen.clearRect(0, 0, this.width, this.height);
    const rows = this.rowsInSight();
    this.drawsPhotos = rows.length <= kPhotosDrawn && (this.view.zoom > 2 || this.x.length <= kPhotosDrawn);
    this.photoSide = Math.max(34, Math.min(84, 1.1 * Math.sqrt(this.width * this.height / Math.max(rows.length, 1)) * 0.5));
    const style = getComputedStyle(document.documentElement);
    const plain = style.getPropertyValue('--accent');
    const radius = Math.min(6, 1.9 + 0.8 * Math.sqrt(this.view.zoom) * Math.min(1, 40 / Math.sqrt(this.x.length)));
    const colours = new Map();
    for (const row of rows) {
      const [x, y] = this.toScreen(row);
      const group = collection.groups?.[row];
      if (group === null) pen.fillStyle = style.getPropertyValue('--muted');
      else if (group === undefined) pen.fillStyle = plain;
      else {
        if (!colours.has(group)) colours.set(group, groupColour(group, this.isDark.matches));
        pen.fillStyle = colours.get(group);
      }
      if (this.drawsPhotos && this.drawPhoto(pen, row, x, y)) continue;
      pen.globalAlpha = 0.82;
      pen.beginPath();
      pen.arc(x, y, radius, 0, 2 * Math.PI);
      pen.fill();
      pen.globalAlpha = 1;
    }
    if (this.chosen >= 0) {
      const [x, y] = this.toScreen(this.chosen);
      pen.strokeStyle = style.getPropertyValue('--ink');
      pen.lineWidth = 2.5;
      pen.beginPath();
      if (this.drawsPhotos) pen.rect(x - this.photoSide / 2 - 2, y - this.photoSide / 2 - 2, this.photoSide + 4, this.photoSide + 4);
      else pen.arc(x, y, radius + 4, 0, 2 * Math.PI);
      pen.stroke();
    }
  }

  drawPhoto(pen, row, x, y) {
    let image = this.images.get(row);
    if (!image) {
      image = new Image();
      image.onload = this.draw;
      image.src = thumbnailOf(row);
    }
    this.images.delete(row);  // the one wanted last stands last
    this.images.set(row, image);
    if (this.images.size > kImagesKept) this.images.delete(this.images.keys().next().value);
    if (!image.complete || !image.naturalWidth) return false;
    const side = this.photoSide;
    const cut = Math.min(image.naturalWidth, image.naturalHeight);
    pen.fillRect(x - side / 2 - 2, y - side / 2 - 2, side + 4, side + 4);
    pen.drawImage(image, (image.naturalWidth - cut) / 2, (image.naturalHeight - cut) / 2, cut, cut, x - side / 2, y - side / 2, side, side);
    return true;
  }

  changed() {
    this.moved(this.isTurned ? {x: this.view.y, y: this.view.x, zoom: this.view.zoom} : this.view);
    this.draw();
    this.movePeek();
  }
  zoom(factor, [x, y] = [this.width / 2, this.height / 2]) {
    const before = this.unit;
    this.view.zoom = Math.max(kMinZoom, Math.min(kMaxZoom, this.view.zoom * factor));
    // What lies under the pointer stays there.
    this.view.x += (x - this.width / 2) * (1 / before - 1 / this.unit);
    this.view.y += (y - this.height / 2) * (1 / before - 1 / this.unit);
    this.changed();
  }
  pan(dx, dy) {
    this.view.x = Math.max(0, Math.min(1, this.view.x - dx / this.unit));
    this.view.y = Math.max(0, Math.min(1, this.view.y - dy / this.unit));
    this.changed();
  }
  showAll() {
    Object.assign(this.view, {x: 0.5, y: 0.5, zoom: 1});
    this.changed();
  }

  nearest([x, y], reach) {
    let best = -1, least = reach * reach;
    for (let row = 0; row < this.x.length; ++row) {
      if (!this.isShown(row)) continue;
      const [px, py] = this.toScreen(row);
      const far = (px - x) ** 2 + (py - y) ** 2;
      if (far < least) {
        least = far;
        best = row;
      }
    }
    return best;
  }

  choose(row) {
    if (row === this.chosen) return;
    this.chosen = row;
    this.canvas.classList.toggle('over', row >= 0);
    if (row >= 0) {
      const group = collection.groups?.[row];
      const name = element('span', {class: 'label'});
      if (group !== null && group !== undefined) name.append(groupDot(group));
      name.append(element('bdi', {}, fileName(row)));
      this.peek.replaceChildren(thumbnail(row), name);
    }
    this.peek.hidden = row < 0;
    this.movePeek();
    this.draw();
  }
  movePeek() {
    if (this.chosen < 0) return;
    const [x, y] = this.toScreen(this.chosen);
    const beside = 18 + (this.drawsPhotos ? this.photoSide / 2 : 0);
    const left = x + beside + 172 < this.width ? x + beside : x - beside - 172;
    this.peek.style.left = `${Math.max(8, left)}px`;
    this.peek.style.top = `${Math.max(8, Math.min(y - 90, this.height - 210))}px`;
  }

  press(event) {
    this.canvas.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, this.pointOf(event));
    if (this.pointers.size === 1) this.travelled = 0;
  }
  drag(event) {
    const now = this.pointOf(event), before = this.pointers.get(event.pointerId);
    if (!before) return this.choose(this.nearest(now, 24));
    const step = [now[0] - before[0], now[1] - before[1]];
    this.travelled += Math.hypot(...step);
    const other = [...this.pointers].find(([id]) => id !== event.pointerId)?.[1];
    this.pointers.set(event.pointerId, now);
    if (other) {
      const apart = (point) => Math.hypot(point[0] - other[0], point[1] - other[1]);
      this.zoom(apart(now) / Math.max(apart(before), 1), [(now[0] + other[0]) / 2, (now[1] + other[1]) / 2]);
      this.pan(step[0] / 2, step[1] / 2);
    } else if (this.travelled > 4) {
      this.canvas.classList.add('dragged');
      this.choose(-1);
      this.pan(...step);
    }
  }
  release(event) {
    const wasPressed = this.pointers.delete(event.pointerId);
    this.canvas.classList.remove('dragged');
    if (!wasPressed || this.pointers.size || this.travelled > 4 || event.type !== 'pointerup') return;
    const row = this.nearest(this.pointOf(event), 24);
    if (row >= 0) location.hash = photoPage(row);
  }
  leave() {
    if (!this.pointers.size && document.activeElement !== this.canvas) this.choose(-1);
  }

  key(event) {
    const ways = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (ways[event.key]) this.step(ways[event.key]);
    else if (event.key === '+' || event.key === '=') this.zoom(1.6, this.chosen >= 0 ? this.toScreen(this.chosen) : undefined);
    else if (event.key === '-') this.zoom(1 / 1.6);
    else if (event.key === '0') this.showAll();
    else if (event.key === 'Enter' && this.chosen >= 0) location.hash = photoPage(this.chosen);
    else return;
    event.preventDefault();
  }
  /** To the photo that is nearest in a direction, within 45 degrees of it. */
  step([dx, dy]) {
    const from = this.chosen >= 0 ? this.toScreen(this.chosen) : null;
    let best = from ? -1 : this.nearest([this.width / 2, this.height / 2], Infinity), least = Infinity;
    for (let row = 0; from && row < this.x.length; ++row) {
      if (row === this.chosen || !this.isShown(row)) continue;
      const [x, y] = this.toScreen(row);
      const along = (x - from[0]) * dx + (y - from[1]) * dy, aside = Math.abs((x - from[0]) * dy) + Math.abs((y - from[1]) * dx);
      if (along > 0.5 && aside <= along && along + aside < least) {
        least = along + aside;
        best = row;
      }
    }
    if (best < 0) return;
    this.choose(best);
    const [x, y] = this.toScreen(best);
    if (x < 40 || y < 40 || x > this.width - 40 || y > this.height - 40) {
      Object.assign(this.view, {x: this.x[best], y: this.y[best]});
      this.changed();
    }
    const group = collection.groups?.[best];
    say(fileName(best) + (group !== null && group !== undefined ? `, group ${group}` : ''));
  }

  legend() {
    const groups = [...new Set(collection.groups ?? [])].filter((group) => group !== null).sort((a, b) => a - b);
    const buttons = new Map();
    const press = (group) => {
      this.onlyGroup = this.onlyGroup === group ? null : group;
      for (const [other, button] of buttons) button.setAttribute('aria-pressed', String(other === this.onlyGroup));
      this.draw();
    };
    for (const group of groups) {
      buttons.set(group, element('button', {type: 'button', 'aria-pressed': 'false', 'aria-label': `Only group ${group}`, onclick: () => press(group)}, groupDot(group), String(group)));
    }
    return element('ul', {class: 'legend', 'aria-label': 'Groups'}, ...[...buttons.values()].map((button) => element('li', {}, button)));
  }
}

export function show(main, {parameters, replaceParameters}) {
  main.append(element('div', {class: 'head'}, element('div', {class: 'what'}, element('h1', {tabindex: -1}, 'Map'),
    element('p', {class: 'quiet'}, 'Photos that are alike lie close together; distances between far groups mean little.'))));
  const host = element('div');
  main.append(host);
  let map = null, timer = 0;
  const number = (name, least, most, otherwise) => {
    const value = Number(parameters.get(name) ?? NaN);
    return value >= least && value <= most ? value : otherwise;
  };
  const task = watch(host, 'api/map', {
    running: 'Laying out the photos…',
    done: (places) => {
      const field = element('div', {class: 'map'});
      map = new PhotoMap(field, places, {x: number('x', 0, 1, 0.5), y: number('y', 0, 1, 0.5), zoom: number('zoom', kMinZoom, kMaxZoom, 1)}, (view) => {
        clearTimeout(timer);
        timer = setTimeout(() => replaceParameters(new URLSearchParams({x: view.x.toFixed(4), y: view.y.toFixed(4), zoom: view.zoom.toFixed(2)})), 250);
      });
      host.append(field, map.legend());
    },
  });
  return {title: 'Map', destroy: () => {
    clearTimeout(timer);
    task.destroy();
    map?.destroy();
  }};
}
