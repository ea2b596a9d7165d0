// Elements. Text goes in as text only: nothing here, or elsewhere in these pages, turns a string into markup.

/** element('a', {href: '#/', class: 'tile', onclick: f}, 'text', otherElement) */
export function element(tag, properties = {}, ...children) {
  return filled(document.createElement(tag), properties, children);
}

export function drawn(tag, properties = {}, ...children) {
  return filled(document.createElementNS('http://www.w3.org/2000/svg', tag), properties, children);
}

function filled(node, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** Says something to those who cannot see it happen. */
export function say(text) {
  document.getElementById('spoken').textContent = text;
}

export function counted(count, one, many = one + 's') {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
}

/** `text` as a word of a shell's command line. */
export function shellWord(text) {
  return /^[\w%+=:,./][\w%+=:,./-]*$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** Runs `action` at most once a frame, with the arguments of the last call. */
export function oncePerFrame(action) {
  let waiting = 0;
  return () => {
    if (waiting) return;
    waiting = requestAnimationFrame(() => {
      waiting = 0;
      action();
    });
  };
}

/** Runs `action` when calls have ceased for a moment. */
export function whenQuiet(milliseconds, action) {
  let timer = 0;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => action(...values), milliseconds);
  };
}
