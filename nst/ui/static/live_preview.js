// Finishes the image in flight, then shows the newest.
const image = () => element.querySelector('img');
let loading = null, next = null, shown = null, failed = null, failures = 0;
const load = () => {
  const url = next; next = null; loading = url;
  const done = () => { if (loading === url) { loading = null; if (next) load(); } };
  const incoming = new Image();
  incoming.onload = () => {
    if (loading === url || props.value.url === url) image().src = shown = url;
    done();
  };
  incoming.onerror = () => { failures = failed === url ? failures + 1 : 1; failed = url; done(); };
  incoming.src = url;
  // A request that hangs must not hold up the rest, nor be the last word.
  setTimeout(() => { if (loading === url && shown !== url) { next = next || url; done(); } }, 10000);
};
const show = () => {
  if (shown && !image().getAttribute('src')) image().src = shown;
  const url = props.value && props.value.url;
  const hopeless = url === failed && failures >= 5;
  if (url && url !== shown && url !== loading && !hopeless) { next = url; if (!loading) load(); }
};
watch('value', show);
setInterval(show, 1000);  // should an update ever go by unnoticed
show();
