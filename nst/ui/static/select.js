// Tells which button of a row was clicked.
element.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (!button) return;
  for (const each of element.querySelectorAll('button')) each.removeAttribute('aria-current');
  button.setAttribute('aria-current', 'true');
  trigger('select', { index: Number(button.dataset.index) });
});
