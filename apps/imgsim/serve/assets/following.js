// Follows the index while somebody looks at the page: asks the server now and then for what there is. Polling, since a
// lasting connection would take one of the server's threads for every open tab.
import {collection, fetched, Refused, reload} from './collection.js';

const kInterval = 3000;  // ms

/**
 * changed(fault): after every look at the server that told something else than the one before; `fault` is why it cannot
 * be reached, null where it can.
 */
export function follow(changed) {
  let timer = 0, told = null, isLooking = false;
  const look = async () => {
    clearTimeout(timer);
    if (document.hidden || isLooking) return;  // becoming visible begins anew
    isLooking = true;
    let fault = null;
    let faults = String(collection.info.faults);
    try {
      const info = await fetched('api/index');
      if (info.version !== collection.version) {
        await reload();  // which tells of its faults
        faults = String(collection.info.faults);
      } else {
        collection.info = info;
      }
    } catch (failure) {
      if (!(failure instanceof Refused)) throw failure;
      fault = failure.message;
    } finally {
      isLooking = false;
      timer = setTimeout(look, kInterval);
    }
    if (fault !== told || faults !== String(collection.info.faults)) changed(told = fault);
  };
  document.addEventListener('visibilitychange', look);
  timer = setTimeout(look, kInterval);
}
