// One button: Paint, and Stop while a run is on. It is never replaced, so that it stays where it is and keeps the focus.
const WORDS = { ready: 'Paint', busy: 'Stop', stopping: 'Stopping' };
const button = element.querySelector('button'), spoken = element.querySelector('[role=status]');
const here = element.getRootNode(), title = document.title;
let state = 'ready', ended = false, awaiting = false, last = '', held = 0;
const show = (value) => {
  const { state: next, id, spoken: words } = value?.state ? value : { state: value };
  if (!WORDS[next] || (id && id === last)) return;
  last = id || last;
  if (next !== state) spoken.textContent = { busy: 'Painting.', stopping: 'Stopping.', ready: words || '' }[next];
  ended = document.hidden && next === 'ready' && state !== 'ready';
  state = next;
  button.textContent = WORDS[state];
  button.setAttribute('aria-disabled', String(state === 'stopping'));
  const studio = element.closest('#studio');
  studio?.classList.toggle('busy', state !== 'ready');
  // Buttons and frames are on their way; their place is held for so long.
  studio?.classList.toggle('ended', Boolean(state === 'ready' && words));
  clearTimeout(held);
  held = setTimeout(() => studio?.classList.remove('ended'), 8000);
};
// A start that is refused or does not get through is reported to nobody by Gradio, and the button would say Stop for ever.
let starting = false;
const UNREACHED = { error: 'The server cannot be reached; check your connection and press Paint again.' };
const ask = window.fetch;
window.fetch = async (...given) => {
  const joins = String(given[0]?.url || given[0]).includes('/queue/join');
  if (!joins && !String(given[0]?.url || given[0]).includes('/run/predict')) return ask(...given);
  const starts = starting && joins;
  starting = starting && !joins;
  // As an answer: of a line that is cut Gradio makes a page that is loaded anew, without the visitor's pictures.
  const answer = await ask(...given).catch(() => new Response(JSON.stringify(UNREACHED), { status: 503 }));
  if (!answer.ok && starts) {
    const text = (await answer.clone().json().catch(() => UNREACHED)).error, line = here.querySelector('#status .line');
    show(props.value = 'ready');
    if (line) line.textContent = text;
  }
  return answer;
};
// Until the pictures that are on their way are there.
const received = async () => {
  while (here.querySelector('.receiving')) await new Promise((done) => { setTimeout(done, 100); });
};
button.addEventListener('click', async () => {
  if (state === 'stopping') return;
  if (awaiting) {  // nothing has begun yet
    awaiting = false;
    show(props.value = 'ready');
    return;
  }
  const begins = state === 'ready';
  props.value = begins ? 'busy' : 'stopping';
  show(props.value);
  if (begins && here.querySelector('.receiving')) {
    awaiting = true;
    await received();
    if (!awaiting) return;
    awaiting = false;
  }
  starting = begins;
  trigger(begins ? 'submit' : 'stop');
  const narrow = matchMedia('(max-width: 1023px)').matches && !element.closest('.embed');
  if (begins && narrow) {
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    here.querySelector('#live').scrollIntoView({ block: 'start', behavior: still ? 'auto' : 'smooth' });
  }
});
// By the page's base address "#paint" is another page, without what a link has brought.
here.addEventListener('click', (event) => {
  if (!event.target.closest?.('.skip')) return;
  event.preventDefault();
  button.focus();
});
watch('value', () => {
  if (props.value !== 'missed') return show(props.value);
  // Begun, but not there yet: asked again, unless the end came meanwhile.
  setTimeout(() => {
    props.value = state;
    if (state === 'stopping') trigger('stop');
  }, 300);
});
show(props.value);
// How far it is, in the title of the tab; a page of somebody else's keeps its own.
if (here === document) {
  setInterval(() => {
    const share = state !== 'ready' && here.querySelector('#status [aria-valuenow]')?.getAttribute('aria-valuenow');
    if (!document.hidden) ended = false;
    document.title = share ? `${share} % · ${title}` : ended ? `Ready · ${title}` : title;
  }, 1000);
}
