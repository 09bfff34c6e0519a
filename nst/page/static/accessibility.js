// What Gradio's components leave out for those who hear the page or use it by keys.
import { folds, isOpen, nameOf, removeButton, sourceButtons, sourceOf } from './gradio.js';

export const accessibility = ({ element }) => {
  const here = element.getRootNode();
  const set = (node, name, value) => { if (node && node.getAttribute(name) !== value) node.setAttribute(name, value); };
  const SOURCES = { upload: 'Upload', camera: 'Camera', paste: 'Paste' };
  const SPOKEN = { photo: 'photo', style: 'style picture', start: 'starting picture' };
  const complete = () => {
    // The page is in English whatever the browser speaks.
    if (here === document) set(document.documentElement, 'lang', 'en');
    for (const fold of folds(here, 'options')) {
      set(fold, 'aria-expanded', String(isOpen(fold)));
      set(fold, 'aria-label', nameOf(fold));
    }
    for (const card of here.querySelectorAll('#photo, #style, #start, #more-styles > *')) {
      const name = SPOKEN[card.id] || card.id.replace('-', ' ');
      for (const button of sourceButtons(card)) set(button, 'aria-label', `${SOURCES[sourceOf(button)]}: ${name}`);
      set(removeButton(card), 'aria-label', `Remove ${name}`);
    }
  };
  let due = null;
  const later = () => { due = due || setTimeout(() => { due = null; complete(); }, 100); };
  const page = here === document ? document.body : here;
  new MutationObserver(later).observe(page, { subtree: true, childList: true, attributeFilter: ['class', 'lang'] });
  complete();
};
