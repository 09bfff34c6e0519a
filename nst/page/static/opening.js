// Takes away what stands there until the page does (opening.html).
import { app, pictureIn, slider } from './gradio.js';

// Paint has this attribute once its script is there.
const PARTS = ['#paint[aria-disabled]', '#live .canvas', '#surprise', '#options', '#after'];

export const reveal = () => {
  const isThere = () => PARTS.every((part) => document.querySelector(part))
    && ['photo', 'style'].every((card) => pictureIn(document, card)) && slider(document, 'iterations');
  const observer = new MutationObserver(() => {
    if (!isThere()) return;
    observer.disconnect();
    // A moment longer, in which what has come finds its place.
    setTimeout(show, 150);
  });
  const show = () => {
    observer.disconnect();
    document.querySelector('#opening')?.remove();
    app().inert = false;
  };
  observer.observe(document.body, { subtree: true, childList: true, attributeFilter: ['aria-disabled'] });
  setTimeout(show, 60000);
};
