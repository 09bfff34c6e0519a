// What this tab showed before it was loaded again: kept at every change, and brought back but for uploads that are gone.
import { appId } from './gradio.js';
import { keep, kept } from './storage.js';

const PAGE = 'painted-live-page';
let recalled = false;  // what comes first is a fresh page's

export const remember = (...values) => {
  if (recalled) keep('sessionStorage', PAGE, JSON.stringify({ app: appId(), query: location.search, values }));
};

export const recall = async (...values) => {
  recalled = true;
  // What is set to what it is counts as changed, so it is left alone.
  const untouched = { __type__: 'update' }, nothing = values.map(() => untouched);
  const opened = performance.getEntriesByType('navigation')[0]?.type === 'navigate' && !document.wasDiscarded;
  if (opened) return nothing;
  const before = JSON.parse(kept('sessionStorage', PAGE));
  if (!before || before.app !== appId() || before.query !== location.search) return nothing;
  const isSame = (one, other) => JSON.stringify(one?.path ?? one) === JSON.stringify(other?.path ?? other);
  const isThere = async (value) => !value?.url || (await fetch(value.url, { method: 'HEAD' }).catch(() => ({}))).ok;
  return Promise.all(before.values.map(async (value, index) =>
    (!isSame(value, values[index]) && (await isThere(value)) ? value : untouched)));
};
