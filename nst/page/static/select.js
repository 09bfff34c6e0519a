// Tells which button of a row was clicked, and marks the one that is chosen.
import { addressIn } from './gradio.js';

export const select = ({ element, props, trigger, watch }) => {
  const here = element.getRootNode();
  const buttons = () => [...element.querySelectorAll('button[aria-pressed]')];
  const mark = (chosen) => buttons().forEach((each) => each.setAttribute('aria-pressed', String(each === chosen)));
  element.addEventListener('click', (event) => {
    const button = event.target.closest('button');
    if (!button) return;
    mark(button);
    trigger('select', { index: Number(button.dataset.index) });
  });
  // Of examples, the one that the card shows, however it came there; of frames, the newest.
  const name = () => (addressIn(here, props.of) || '').split('/').pop().replace(/\.\w+$/, '');
  const follow = () => { const shown = name(); mark(buttons().find((each) => each.dataset.name === shown)); };
  if (props.of) {
    // With the card beside it: either of them may be drawn after this, or anew.
    const both = element.closest('.card') || element;
    new MutationObserver(follow).observe(both, { subtree: true, childList: true, attributeFilter: ['src'] });
    follow();
  } else watch('value', () => { setTimeout(() => mark(buttons().pop())); });
};
