// Takes files that are dropped on a card, also on one that holds a picture already, pasted or chosen, whatever the
// browser calls them: Gradio's own cards take what it calls image/*, and from an empty card only.
import { until } from './changes.js';
import { UPLOAD, addressIn, cameraButton, fileInputs, films, pressedSource, sourceOf } from './gradio.js';

// What is on its way: Paint waits for it, and would otherwise paint what was there before.
export const arriving = new Set();

export const intake = ({ element, props, trigger, watch }) => {
  const cards = props.cards;
  const here = element.getRootNode();
  const place = (card) => here.querySelector(`#${card}`);
  const cardOf = (event) => {
    const card = event.composedPath().find((one) => cards.includes(one.id) || one.classList?.contains('card'));
    if (!card) return null;
    return cards.includes(card.id) ? card.id : cards.find((name) => card.querySelector('#' + name)) || null;
  };
  // What is wrong with a file stands on the card that it was meant for, until that shows another picture.
  const complain = async (card, text) => {
    place(card)?.querySelector('.fault')?.remove();
    if (!place(card) || !text) return;
    const fault = Object.assign(document.createElement('p'), { className: 'fault', role: 'alert', textContent: text });
    const before = addressIn(here, card);
    place(card).append(fault);
    await until(place(card), () => addressIn(here, card) !== before || !fault.isConnected);
    fault.remove();
  };
  const PATIENCE = 30000, FAILED = 'The upload failed; try again.';
  let awaited = null;
  watch('value', () => { if (awaited && awaited.file === props.value?.file) awaited.resolve(props.value); });
  // Offers a file to the host, and returns what is to be said of it once its picture is there or it was refused.
  const offer = async (card, file, before) => {
    const answer = new Promise((resolve) => { awaited = { file, resolve }; setTimeout(resolve, PATIENCE); });
    props.value = null;  // an answer that is the last one's word for word would not be noticed
    trigger('upload', { card, file });
    const { taken, message } = (await answer) || { message: FAILED };
    const shown = !taken || await until(place(card), () => addressIn(here, card) !== before, PATIENCE);
    return shown ? message : FAILED;
  };
  let turn = Promise.resolve();
  const send = async (card, [file]) => {
    const before = addressIn(here, card);
    place(card).classList.add('receiving');
    const form = new FormData();
    form.append('files', file, file.name);
    let message = FAILED;
    try {
      const answer = await fetch(UPLOAD, { method: 'POST', body: form }), body = await answer.json();
      // One after the other: of two answers in one moment only the last would be seen.
      if (answer.ok) turn = turn.then(() => offer(card, body[0], before));
      message = answer.ok ? await turn : body.detail || body.error || '';
    } catch { /* it failed */ }
    complain(card, message);
    place(card).classList.remove('receiving');
  };
  const take = (card, files) => {
    if (!files.length || !card) return;
    const sent = send(card, files).finally(() => arriving.delete(sent));
    arriving.add(sent);
  };
  const filesOf = (event) => [...(event.dataTransfer || event.clipboardData || { files: [] }).files];
  const dragged = (event) => [...(event.dataTransfer?.types || [])].includes('Files');
  const listen = (kind, work) => here.addEventListener(kind, work, { capture: true });
  // A file that is dropped beside a card does not take the place of the page.
  listen('dragover', (event) => { if (dragged(event)) event.preventDefault(); });
  listen('drop', (event) => {
    if (!dragged(event)) return;
    event.preventDefault();
    const card = cardOf(event);
    if (card) { event.stopPropagation(); take(card, filesOf(event)); }
  });
  listen('change', (event) => {
    const input = event.composedPath()[0], card = cardOf(event);
    if (!card || input.type !== 'file' || !input.files.length) return;
    event.stopPropagation();
    take(card, [...input.files]);
    input.value = '';
  });
  // The chooser shows what phones call their pictures too.
  const KINDS = 'image/*,.heic,.heif,.tif,.tiff,.avif', FILMS = ',video/mp4,video/quicktime,video/webm,.mkv';
  const chooser = Object.assign(document.createElement('input'), { type: 'file' });
  const kindsOf = (card) => card === 'photo' ? KINDS + FILMS : KINDS;
  let chosenFor = null;
  chooser.addEventListener('change', () => { take(chosenFor, [...chooser.files]); chooser.value = ''; });
  const open = (card, kinds) => { chosenFor = card; chooser.accept = kinds; chooser.click(); };
  const choose = (card) => { chooser.removeAttribute('capture'); open(card, kindsOf(card)); };
  const photograph = (card) => { chooser.setAttribute('capture', 'environment'); open(card, KINDS); };
  const paste = async (card) => {
    try {
      for (const item of await navigator.clipboard.read()) {
        const kind = item.types.find((one) => one.startsWith('image/'));
        if (kind) { take(card, [new File([await item.getType(kind)], `pasted.${kind.slice(6)}`, { type: kind })]); return; }
      }
      complain(card, 'No picture in the clipboard; copy one first.');
    } catch {
      complain(card, 'Your browser blocked the clipboard; press Ctrl+V on the page instead, or choose a file.');
    }
  };
  const film = async (card) => {
    // One press is enough.
    await until(place(card), () => cameraButton(place(card)), 2000);
    cameraButton(place(card))?.click();
  };
  // Gradio's own take the picture off the card before they have another one, and the first one opens nothing. A phone
  // has an app to film with; elsewhere Gradio's own shows what a camera sees.
  const sources = { upload: choose, paste, camera: matchMedia('(pointer: coarse)').matches ? photograph : film };
  let clicked = null;
  listen('click', (event) => {
    const card = cardOf(event), target = event.composedPath()[0];
    if (!card) return;
    clicked = card;
    const button = pressedSource(target), source = button && sources[sourceOf(button)];
    if (source) {
      if (source !== film) event.stopPropagation();
      source(card);
    } else if (target.tagName === 'IMG' && target.closest(`#${card}`)) {
      choose(card);  // a picture that stands there already is changed by a click on it; Gradio's own does nothing
    } else {
      for (const name of cards) for (const input of fileInputs(here, name)) input.accept = kindsOf(name);
    }
  });
  listen('paste', (event) => {
    const target = event.composedPath()[0], pasted = filesOf(event);
    if (!pasted.length || /^(input|textarea)$/i.test(target.tagName || '')) return;
    event.preventDefault();
    event.stopPropagation();
    take(cardOf(event) || cards[0], pasted);
  });
  // A camera that is refused is an error that Gradio leaves to nobody.
  window.addEventListener('unhandledrejection', (event) => {
    const kind = event.reason instanceof DOMException ? event.reason.name : '';
    // Sharing and filling the screen are refused by the same names.
    const filming = clicked && films(place(clicked));
    if (!filming || !['NotAllowedError', 'NotFoundError', 'NotReadableError', 'SecurityError'].includes(kind)) return;
    event.preventDefault();
    const refused = kind === 'NotAllowedError' || kind === 'SecurityError';
    complain(clicked, refused ? 'Your browser blocked the camera; allow it next to the address, or choose a file.'
      : 'No camera was found; choose a file.');
  });
};
