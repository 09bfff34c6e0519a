// From a query to a link, a frame and a web component.
// The component's script and style are this host's own, found where the page itself has them from.
import { COMPONENT, componentScripts, componentStyles } from './gradio.js';

export const snippets = (query) => {
  const here = location.origin + location.pathname;
  const embedded = here + '?view=embed' + (query ? '&' + query.slice(1) : '');
  const quoted = (text) => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
  const scripts = [...componentScripts()]
    .map((script) => '<script type="module" crossorigin src="' + quoted(script.src) + '"></script>');
  const styles = [...componentStyles()]
    .map((style) => '<link rel="stylesheet" crossorigin href="' + quoted(style.href) + '">');
  return [here + query,
    '<iframe src="' + quoted(embedded) + '" width="640" height="480" ' +
    'style="border:0" allow="clipboard-write; camera"></iframe>',
    [...scripts, ...styles, `<${COMPONENT} src="${quoted(here + query)}"></${COMPONENT}>`].join(' ')];
};
