// Brings back what this tab showed before it was loaded again (remember.js), but for uploads that are gone.
async (...values) => {
  window.recalled = true;
  const opened = performance.getEntriesByType('navigation')[0]?.type === 'navigate' && !document.wasDiscarded;
  if (opened) return values;
  let kept = null;
  try { kept = JSON.parse(sessionStorage.getItem('painted-live-page')); } catch (error) { return values; }
  if (!kept || kept.app !== window.gradio_config?.app_id || kept.query !== location.search) return values;
  const isThere = async (value) => !value?.url || (await fetch(value.url, { method: 'HEAD' }).catch(() => ({}))).ok;
  return Promise.all(kept.values.map(async (value, index) => ((await isThere(value)) ? value : values[index])));
}
