// Takes files that are dropped on a card, also on one that holds a picture already, pasted or chosen, whatever the
// browser calls them: Gradio's own cards take what it calls image/*, and from an empty card only.
const cards = JSON.parse(element.querySelector('[data-cards]').dataset.cards);
const first = cards[0];
const here = element.getRootNode();
const base = () => {
  const own = document.querySelector('script[type=module][src*="/assets/index-"]');
  return own ? own.src.split('/assets/')[0] : location.origin + location.pathname.replace(/\/$/, '');
};
const cardOf = (event) => {
  const card = event.composedPath().find((one) => cards.includes(one.id) || one.classList?.contains('card'));
  if (!card) return null;
  return cards.includes(card.id) ? card.id : cards.find((name) => card.querySelector('#' + name)) || null;
};
// What is on its way is waited for by Paint (paint_button.js), which would otherwise paint what was there before.
const shownIn = (card) => here.querySelector(`#${card} img`)?.getAttribute('src');
const arrived = async (card, before) => {
  for (let tries = 0; tries < 300 && shownIn(card) === before; tries += 1) {
    await new Promise((done) => { setTimeout(done, 100); });
  }
};
const send = async (card, files) => {
  const [file] = files;
  if (!file || !card) return;
  const place = here.querySelector(`#${card}`), before = shownIn(card);
  place.classList.add('receiving');
  const form = new FormData();
  form.append('files', file, file.name);
  let told = null;
  try {
    const answer = await fetch(base() + '/gradio_api/upload', { method: 'POST', body: form });
    const body = await answer.json();
    told = answer.ok ? { card, file: body[0] } : { card, said: body.detail || body.error || '' };
  } catch (error) { told = { card, said: 'The file did not get through; try again.' }; }
  trigger('upload', told);
  if (told.file) await arrived(card, before);
  place.classList.remove('receiving');
};
const files = (event) => [...(event.dataTransfer || event.clipboardData || { files: [] }).files];
const dragged = (event) => [...(event.dataTransfer?.types || [])].includes('Files');
const listen = (kind, work) => here.addEventListener(kind, work, { capture: true });
// A file that is dropped beside a card does not take the place of the page.
listen('dragover', (event) => { if (dragged(event)) event.preventDefault(); });
listen('drop', (event) => {
  if (!dragged(event)) return;
  event.preventDefault();
  const card = cardOf(event);
  if (card) { event.stopPropagation(); send(card, files(event)); }
});
listen('change', (event) => {
  const input = event.composedPath()[0], card = cardOf(event);
  if (!card || input.type !== 'file' || !input.files.length) return;
  event.stopPropagation();
  send(card, [...input.files]);
  input.value = '';
});
// The chooser shows what phones call their pictures too.
const KINDS = 'image/*,.heic,.heif,.tif,.tiff,.avif';
const chooser = Object.assign(document.createElement('input'), { type: 'file', accept: KINDS });
let chosenFor = null;
chooser.addEventListener('change', () => { send(chosenFor, [...chooser.files]); chooser.value = ''; });
listen('click', (event) => {
  const card = cardOf(event), target = event.composedPath()[0];
  if (!card) return;
  // A picture that stands there already is changed by a click on it; Gradio's own does nothing.
  if (target.tagName === 'IMG' && target.closest(`#${card}`)) { chosenFor = card; chooser.click(); return; }
  for (const name of cards) {
    for (const input of here.querySelectorAll(`#${name} input[type=file]`)) input.accept = KINDS;
  }
});
listen('paste', (event) => {
  const target = event.composedPath()[0], pasted = files(event);
  if (!pasted.length || /^(input|textarea)$/i.test(target.tagName || '')) return;
  event.preventDefault();
  event.stopPropagation();
  send(cardOf(event) || first, pasted);
});
