// The compact view: ?view=embed in a frame of another page, or the web component in it.
import { webComponent } from './gradio.js';

export const embed = () => {
  const component = webComponent();
  const address = new URL(component ? component.getAttribute('src') : location.href, location.href);
  if (!component && address.searchParams.get('view') !== 'embed') return;
  address.searchParams.delete('view');
  const root = component ? component.shadowRoot || component : document;
  root.querySelector('#full-page').href = address.href;
  for (const part of root.querySelectorAll('#top, #studio')) {
    part.classList.add('embed');
    part.classList.toggle('component', Boolean(component));
  }
};
