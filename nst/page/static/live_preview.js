// Finishes the image in flight, then shows the newest; one passes into the other.
import { pictureIn } from './gradio.js';

export const livePreview = ({ element, props, watch }) => {
  const image = element.querySelector('.canvas'), behind = image.parentElement.style;
  const still = matchMedia('(prefers-reduced-motion: reduce)');
  let loading = null, next = null, shown = null, failed = null, failures = 0, since = 0;
  const pass = (url) => {
    const before = image.getAttribute('src');
    image.src = shown = url;
    const took = performance.now() - since;
    since = performance.now();
    if (!before || still.matches) return;
    behind.background = `center / contain no-repeat url("${before.replaceAll('"', '%22')}")`;
    image.animate([{ opacity: 0 }, { opacity: 1 }], { duration: Math.min(400, took), easing: 'ease-out' }).onfinish =
      () => { if (image.getAttribute('src') === url) behind.background = ''; };
  };
  const load = () => {
    const url = next; next = null; loading = url;
    const done = () => { if (loading === url) { loading = null; if (next) load(); } };
    const incoming = new Image();
    incoming.onload = () => {
      if (loading === url || props.value.url === url) pass(url);
      done();
    };
    incoming.onerror = () => {
      failures = failed === url ? failures + 1 : 1;
      failed = url;
      done();
      if (failures < 5) setTimeout(show, 1000);
    };
    incoming.src = url;
    // A request that hangs must not hold up the rest, nor be the last word.
    setTimeout(() => { if (loading === url && shown !== url) { next = next || url; done(); } }, 10000);
  };
  const show = () => {
    const url = props.value && props.value.url;
    if (url && url !== shown && url !== loading) { next = url; if (!loading) load(); }
  };
  // The photo, for as long as the picture is held.
  const held = element.querySelector('.photo');
  const hold = (event) => {
    const photo = pictureIn(element.getRootNode(), 'photo');
    if (event.button || !photo) return;
    held.src = photo.src;
    held.hidden = false;
  };
  const letGo = () => { held.hidden = true; };
  image.addEventListener('keydown', (event) => {
    if (event.key !== ' ') return;
    event.preventDefault();
    hold({ button: 0 });
  });
  for (const kind of ['keyup', 'blur']) image.addEventListener(kind, letGo);
  image.addEventListener('pointerdown', hold);
  for (const kind of ['pointerup', 'pointercancel', 'pointerleave']) element.addEventListener(kind, letGo);
  image.addEventListener('contextmenu', (event) => { if (!held.hidden) event.preventDefault(); });
  image.addEventListener('dragstart', (event) => event.preventDefault());
  watch('value', show);
  show();
};
