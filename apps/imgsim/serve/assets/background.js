// Work of the server that takes its time: begun by a button, watched until it is done.
import {element, say} from './dom.js';
import {ask} from './collection.js';

/**
 * Fills `host` with what the state of `path` asks for, until done(result) is called.
 * @param button  what begins it; null: it begins by itself
 */
export function watch(host, path, {explanation, button, running, done}) {
  const stop = new AbortController();
  let timer = 0;
  const follow = async (options = {}) => {
    try {
      show(await ask(path, {signal: stop.signal, ...options}));
    } catch (failure) {
      if (!stop.signal.aborted) host.replaceChildren(element('p', {class: 'fault'}, failure.message));
    }
  };
  const begin = () => follow({method: 'POST'});
  const show = (task) => {
    if (stop.signal.aborted) return;
    if (task.state === 'running') {
      host.replaceChildren(element('p', {class: 'quiet busy'}, running, task.seconds >= 3 ? ` ${task.seconds} s so far.` : ''));
      timer = setTimeout(follow, task.seconds < 5 ? 250 : 1000);
    } else if (task.state === 'done') {
      host.replaceChildren();
      say('done');
      done(task.result);
    } else if (task.state === 'idle' && !button) {
      begin();
    } else {
      host.replaceChildren(...(task.state === 'failed' ? [element('p', {class: 'fault'}, task.reason)] : []), element('p', {class: 'quiet'}, explanation),
        element('button', {type: 'button', class: 'primary', onclick: begin}, task.state === 'failed' ? 'Try again' : button));
    }
  };
  follow();
  return {
    destroy: () => {
      stop.abort();
      clearTimeout(timer);
    },
  };
}
