// Light or dark, kept by this browser.
import { keep, kept } from './storage.js';

export const theme = ({ element }) => {
  const NAME = 'painted-live-theme';
  const set = (dark) => document.body.classList.toggle('dark', dark);
  const chosen = kept('localStorage', NAME);
  if (chosen) set(chosen === 'dark');
  element.querySelector('.theme').addEventListener('click', () => {
    const dark = !document.body.classList.contains('dark');
    set(dark);
    keep('localStorage', NAME, dark ? 'dark' : 'light');
  });
};
