// A slider, which takes keys by itself, and a picture that is pulled.
export const beforeAfter = ({ element }) => {
  const set = (share) => element.querySelector('.over')?.style.setProperty('--share', `${share}%`);
  element.addEventListener('input', (event) => { if (event.target.type === 'range') set(event.target.value); });
  const pull = (event) => {
    const over = event.target.closest('.over'), slider = element.querySelector('input');
    if (!over || !(event.buttons & 1)) return;
    const box = over.getBoundingClientRect();
    set(slider.value = 100 * (event.clientX - box.left) / box.width);
  };
  element.addEventListener('pointerdown', pull);
  element.addEventListener('pointermove', pull);
  element.addEventListener('dragstart', (event) => event.preventDefault());
};
