// Tells which painting of a row is to be opened or deleted.
element.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (button) trigger(button.classList.contains('delete') ? 'delete' : 'select', { id: button.dataset.id });
});
