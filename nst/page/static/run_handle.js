// Keeps the visitor's key in this browser and the run that is shown in this tab, so that a reload finds it.
const kept = (storage, name, value) => {
  try {  // a browser may forbid it
    if (value === undefined) return window[storage].getItem(name);
    if (value === null) window[storage].removeItem(name); else window[storage].setItem(name, value);
  } catch (error) { /* then it is kept for as long as the page is */ }
  return null;
};
const made = () => {
  const bytes = crypto.getRandomValues(new Uint8Array(24));
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_');
};
let key = kept('localStorage', 'painted-live-key');
if (!/^[\w-]{22,64}$/.test(key || '')) kept('localStorage', 'painted-live-key', key = made());
const run = kept('sessionStorage', 'painted-live-run');
props.value = { key, run, chosen: null };
watch('value', () => {
  const shown = props.value && props.value.run;
  kept('sessionStorage', 'painted-live-run', shown || null);
  if (shown) kept('localStorage', 'painted-live-been', '1');
});
// Whoever has painted here before may have left something.
if (run || kept('localStorage', 'painted-live-been')) trigger('submit');
