// Finishes the image in flight, then shows the newest; one passes into the other.
const image = () => element.querySelector('.canvas');
let loading = null, next = null, shown = null, failed = null, failures = 0;
const still = matchMedia('(prefers-reduced-motion: reduce)');
let since = 0;
const pass = (url) => {
  const own = image(), before = own.getAttribute('src'), behind = own.parentElement.style;
  own.src = shown = url;
  const took = performance.now() - since;
  since = performance.now();
  if (!before || still.matches) return;
  behind.background = `center / contain no-repeat url("${before.replaceAll('"', '%22')}")`;
  own.animate([{ opacity: 0 }, { opacity: 1 }], { duration: Math.min(400, took), easing: 'ease-out' }).onfinish =
    () => { if (image().getAttribute('src') === url) behind.background = ''; };
};
const load = () => {
  const url = next; next = null; loading = url;
  const done = () => { if (loading === url) { loading = null; if (next) load(); } };
  const incoming = new Image();
  incoming.onload = () => {
    if (loading === url || props.value.url === url) pass(url);
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
// The photo, for as long as the picture is held.
const held = element.querySelector('.photo');
const hold = (event) => {
  const photo = element.getRootNode().querySelector('#photo img');
  if (event.button || !photo) return;
  held.src = photo.src;
  held.hidden = false;
};
const letGo = () => { held.hidden = true; };
image().addEventListener('keydown', (event) => {
  if (event.key !== ' ') return;
  event.preventDefault();
  hold({ button: 0 });
});
for (const kind of ['keyup', 'blur']) image().addEventListener(kind, letGo);
image().addEventListener('pointerdown', hold);
for (const kind of ['pointerup', 'pointercancel', 'pointerleave']) element.addEventListener(kind, letGo);
image().addEventListener('contextmenu', (event) => { if (!held.hidden) event.preventDefault(); });
image().addEventListener('dragstart', (event) => event.preventDefault());
watch('value', show);
setInterval(show, 1000);  // should an update ever go by unnoticed
show();
