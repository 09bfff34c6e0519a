// What can be done with a picture: most of it by the browser alone.
export const actions = ({ element, props, trigger, watch }) => {
  const here = element.getRootNode();
  let file = null;
  const fetched = async () => {
    const blob = await (await fetch(props.value.file.url)).blob();
    return new File([blob], props.value.name, { type: blob.type });
  };
  const shares = () => {
    try { return Boolean(navigator.canShare?.({ files: [new File([''], 'a.png', { type: 'image/png' })] })); }
    catch { return false; }
  };
  element.classList.toggle('shares', shares());
  element.classList.toggle('copies', Boolean(window.ClipboardItem && navigator.clipboard?.write));
  element.classList.toggle('fills', Boolean(document.fullscreenEnabled));
  // Fetched beforehand: a browser shares only at once after a touch.
  const ready = () => { file = props.value && shares() ? fetched().catch(() => null) : null; };
  watch('value', ready);
  ready();
  const tell = (button, text) => {
    const before = button.dataset.text || (button.dataset.text = button.textContent);
    button.textContent = text;
    setTimeout(() => { button.textContent = before; }, 2500);
  };
  const drawn = async (type, ground) => {
    const bitmap = await createImageBitmap(await fetched());
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
    const pen = canvas.getContext('2d');
    if (ground) { pen.fillStyle = ground; pen.fillRect(0, 0, canvas.width, canvas.height); }
    pen.drawImage(bitmap, 0, 0);
    return new Promise((done) => { canvas.toBlob(done, type, 0.92); });
  };
  const deeds = {
    share: async (button) => {
      try { await navigator.share({ files: [(await file) || (await fetched())], title: 'Painted live' }); }
      catch (error) { if (error.name !== 'AbortError') tell(button, 'Not shared'); }
    },
    copy: async (button) => {
      try { await navigator.clipboard.write([new ClipboardItem({ 'image/png': drawn('image/png') })]); tell(button, 'Copied'); }
      catch { tell(button, 'Your browser blocked copying'); }
    },
    jpeg: async (button) => {
      try {
        const url = URL.createObjectURL(await drawn('image/jpeg', 'white'));
        const link = Object.assign(document.createElement('a'), { href: url, download: props.value.name.replace(/\.\w+$/, '.jpg') });
        link.click();
        setTimeout(() => URL.revokeObjectURL(url), 60000);
      } catch { tell(button, 'Not saved'); }
    },
    whole: () => here.querySelector('#live').requestFullscreen?.(),
    continue: () => trigger('submit'),
  };
  element.addEventListener('click', (event) => {
    const button = event.target.closest('button');
    if (!button) return;
    if (button.dataset.size) trigger('select', { size: Number(button.dataset.size) });
    else deeds[button.id]?.(button);
  });
};
