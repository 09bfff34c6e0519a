// What these scripts know of Gradio 6.31.0: its elements, classes, labels and addresses. They stand nowhere else.
// `here` is the document, or the shadow root of a web component. A card is a picture input, named by its element id.

export const pictureIn = (here, card) => here.querySelector(`#${card} img`);
export const addressIn = (here, card) => pictureIn(here, card)?.getAttribute('src');
export const slider = (here, name) => here.querySelector(`#${name} input`);
export const fileInputs = (here, card) => here.querySelectorAll(`#${card} input[type=file]`);
export const removeButton = (card) => card.querySelector('[aria-label="Remove Image"]');

// The buttons under a card, by which a picture comes: 'upload' is the first of them, 'paste' the last.
const SOURCES = '.source-selection';
export const sourceButtons = (card) => card.querySelectorAll(`${SOURCES} button`);
export const sourceOf = (button) => {
  const all = [...button.closest(SOURCES).querySelectorAll('button')];
  if (button === all[0]) return 'upload';
  return button === all.at(-1) ? 'paste' : 'camera';
};
export const pressedSource = (target) => target.closest(`${SOURCES} button`);

// What asks for the camera before it is seen, and whether it is asked for or seen.
const CAMERA = '[title="grant webcam access"]';
export const cameraButton = (card) => card.querySelector(`${CAMERA} button`);
export const films = (card) => Boolean(card.querySelector(`video, ${CAMERA}`));

// The buttons of groups that are folded away.
export const folds = (here, group) => here.querySelectorAll(`#${group} > * > button.label-wrap`);
export const nameOf = (fold) => fold.querySelector('span')?.textContent.trim() || '';
export const isOpen = (fold) => fold.classList.contains('open');

export const COMPONENT = 'gradio-app';
export const app = () => document.querySelector(COMPONENT);
// The web component that this page is, in a page of somebody else's; null where it is its own.
export const webComponent = () => document.querySelector(`${COMPONENT}[src]`);
// What a page needs to have a web component of this host.
export const componentScripts = () => document.querySelectorAll('script[type=module][src*="/assets/index-"]');
export const componentStyles = () => document.querySelectorAll('link[rel=stylesheet][href*="/assets/index-"]');

export const appId = () => window.gradio_config?.app_id;
export const UPLOAD = new URL('gradio_api/upload', import.meta.url);
// Requests that start an event: one that waits in the queue, and one that is answered at once.
export const isQueued = (address) => address.includes('/queue/join');
export const isDirect = (address) => address.includes('/run/predict');
