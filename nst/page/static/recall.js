// Brings back what this tab showed before it was loaded again (remember.js), but for uploads that are gone.
async (...values) => {
  window.recalled = true;
  // What is set to what it is counts as changed, so it is left alone.
  const untouched = { __type__: 'update' }, nothing = values.map(() => untouched);
  const opened = performance.getEntriesByType('navigation')[0]?.type === 'navigate' && !document.wasDiscarded;
  if (opened) return nothing;
  let kept = null;
  try { kept = JSON.parse(sessionStorage.getItem('painted-live-page')); } catch (error) { return nothing; }
  if (!kept || kept.app !== window.gradio_config?.app_id || kept.query !== location.search) return nothing;
  const isSame = (one, other) => JSON.stringify(one?.path ?? one) === JSON.stringify(other?.path ?? other);
  const isThere = async (value) => !value?.url || (await fetch(value.url, { method: 'HEAD' }).catch(() => ({}))).ok;
  return Promise.all(kept.values.map(async (value, index) =>
    (!isSame(value, values[index]) && (await isThere(value)) ? value : untouched)));
}
