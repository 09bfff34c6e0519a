// Keeps the visitor's key in this browser and the run that is shown in this tab, so that a reload finds it.
import { keep, kept } from './storage.js';

const KEY = 'painted-live-key', RUN = 'painted-live-run', BEEN = 'painted-live-been';

const made = () => {
  const bytes = crypto.getRandomValues(new Uint8Array(24));
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_');
};

export const runHandle = ({ props, trigger, watch }) => {
  let key = kept('localStorage', KEY);
  if (!/^[\w-]{22,64}$/.test(key || '')) keep('localStorage', KEY, key = made());
  const run = kept('sessionStorage', RUN);
  props.value = { key, run, chosen: null };
  watch('value', () => {
    const shown = props.value && props.value.run;
    keep('sessionStorage', RUN, shown || null);
    if (shown) keep('localStorage', BEEN, '1');
  });
  // Whoever has painted here before may have left something.
  if (run || kept('localStorage', BEEN)) trigger('submit');
};
