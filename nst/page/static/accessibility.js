// What Gradio's components leave out for those who hear the page or use it by keys.
const here = element.getRootNode();
const set = (node, name, value) => { if (node && node.getAttribute(name) !== value) node.setAttribute(name, value); };
const SOURCES = { Upload: 'Upload', Capture: 'Camera', Paste: 'Paste' };
const SPOKEN = { photo: 'photo', style: 'style picture', start: 'starting picture' };
const complete = () => {
  // The page is in English whatever the browser speaks.
  if (here === document) set(document.documentElement, 'lang', 'en');
  for (const fold of here.querySelectorAll('#options > * > button.label-wrap')) {
    set(fold, 'aria-expanded', String(fold.classList.contains('open')));
    set(fold, 'aria-label', fold.querySelector('span')?.textContent.trim() || '');
  }
  for (const card of here.querySelectorAll('#photo, #style, #start, #more-styles > *')) {
    const name = SPOKEN[card.id] || card.id.replace('-', ' ');
    for (const button of card.querySelectorAll('.source-selection button')) {
      const word = Object.keys(SOURCES).find((each) => (button.getAttribute('aria-label') || '').startsWith(each));
      if (word) set(button, 'aria-label', `${SOURCES[word]}: ${name}`);
    }
    set(card.querySelector('[aria-label="Remove Image"]'), 'aria-label', `Remove ${name}`);
  }
};
let due = null;
const later = () => { due = due || setTimeout(() => { due = null; complete(); }, 100); };
const page = here === document ? document.body : here;
new MutationObserver(later).observe(page, { subtree: true, childList: true, attributeFilter: ['class', 'lang'] });
complete();
