// Light or dark, kept by this browser.
const set = (dark) => document.body.classList.toggle('dark', dark);
const kept = () => { try { return localStorage.getItem('painted-live-theme'); } catch (error) { return null; } };
if (kept()) set(kept() === 'dark');
element.querySelector('.theme').addEventListener('click', () => {
  const dark = !document.body.classList.contains('dark');
  set(dark);
  try { localStorage.setItem('painted-live-theme', dark ? 'dark' : 'light'); } catch (error) { /* for this visit */ }
});
