// Keeps what the page shows in this tab, so that it is there again after a reload (recall.js).
(...values) => {
  if (!window.recalled) return;  // what comes first is a fresh page's
  const app = window.gradio_config?.app_id, query = location.search;
  try { sessionStorage.setItem('painted-live-page', JSON.stringify({ app, query, values })); }
  catch (error) { /* a browser may forbid it, or have no room */ }
}
