// From a query to a link, a frame and a web component.
// The component's script and style are this host's own, found where the page itself has them from.
(query) => {
  const here = location.origin + location.pathname;
  const embedded = here + '?view=embed' + (query ? '&' + query.slice(1) : '');
  const own = (selector, name) => [...document.querySelectorAll(selector)].map((found) => found[name]);
  const quoted = (text) => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
  const scripts = own('script[type=module][src*="/assets/index-"]', 'src')
    .map((src) => '<script type="module" crossorigin src="' + quoted(src) + '"></script>');
  const styles = own('link[rel=stylesheet][href*="/assets/index-"]', 'href')
    .map((href) => '<link rel="stylesheet" crossorigin href="' + quoted(href) + '">');
  return [here + query,
    '<iframe src="' + quoted(embedded) + '" width="640" height="480" ' +
    'style="border:0" allow="clipboard-write; camera"></iframe>',
    [...scripts, ...styles, '<gradio-app src="' + quoted(here + query) + '"></gradio-app>'].join(' ')];
}
