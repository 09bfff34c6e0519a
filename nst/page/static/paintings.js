// Tells which painting of a row is to be opened or deleted.
export const paintings = ({ element, trigger }) => {
  element.addEventListener('click', (event) => {
    const button = event.target.closest('button');
    if (button) trigger(button.classList.contains('delete') ? 'delete' : 'select', { id: button.dataset.id });
  });
};
