// One button: Paint, and Stop while a run is on. It is never replaced, so that it stays where it is and keeps the focus.
import { isDirect, isQueued } from './gradio.js';
import { arriving } from './intake.js';

export const paintButton = ({ element, props, trigger, watch }) => {
  const WORDS = { ready: 'Paint', busy: 'Stop', stopping: 'Stopping' };
  const button = element.querySelector('button'), spoken = element.querySelector('[role=status]');
  const here = element.getRootNode(), studio = element.closest('#studio'), title = document.title;
  let state = 'ready', ended = false, awaiting = false, last = '', held = 0;
  // How far it is, in the title of the tab; a page of somebody else's keeps its own.
  const entitle = () => {
    if (here !== document) return;
    const share = state !== 'ready' && here.querySelector('#status [aria-valuenow]')?.getAttribute('aria-valuenow');
    if (!document.hidden) ended = false;
    document.title = (share ? `${share} % · ` : ended ? 'Ready · ' : '') + title;
  };
  const show = (value) => {
    const { state: next, id, spoken: words } = value?.state ? value : { state: value };
    if (!WORDS[next] || (id && id === last)) return;
    last = id || last;
    if (next !== state) spoken.textContent = { busy: 'Painting.', stopping: 'Stopping.', ready: words || '' }[next];
    ended = document.hidden && next === 'ready' && state !== 'ready';
    state = next;
    button.textContent = WORDS[state];
    button.setAttribute('aria-disabled', String(state === 'stopping'));
    studio.classList.toggle('busy', state !== 'ready');
    // Buttons and frames are on their way; their place is held for so long.
    studio.classList.toggle('ended', Boolean(state === 'ready' && words));
    clearTimeout(held);
    held = setTimeout(() => studio.classList.remove('ended'), 8000);
    entitle();
  };
  // A start that is refused or does not get through is reported to nobody by Gradio, and the button would say Stop for
  // ever.
  let starting = false;
  const UNREACHED = { error: 'The server cannot be reached; check your connection and press Paint again.' };
  const ask = window.fetch;
  window.fetch = async (...given) => {
    const address = String(given[0]?.url || given[0]), queued = isQueued(address);
    if (!queued && !isDirect(address)) return ask(...given);
    const starts = starting && queued;
    starting = starting && !queued;
    // As an answer: of a line that is cut Gradio makes a page that is loaded anew, without the visitor's pictures.
    const answer = await ask(...given).catch(() => new Response(JSON.stringify(UNREACHED), { status: 503 }));
    if (!answer.ok && starts) {
      const text = (await answer.clone().json().catch(() => UNREACHED)).error, line = here.querySelector('#status .line');
      show(props.value = 'ready');
      if (line) line.textContent = text;
    }
    return answer;
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
    if (begins && arriving.size) {
      awaiting = true;
      while (arriving.size) await Promise.all(arriving);
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
  new MutationObserver(entitle).observe(studio, { subtree: true, childList: true, attributeFilter: ['aria-valuenow'] });
  document.addEventListener('visibilitychange', entitle);
};
