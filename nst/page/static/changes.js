// Resolves with true once `holds()` does, looked at after every change in a node; with false after `patience` ms.
export const until = (node, holds, patience) => new Promise((resolve) => {
  let timer = null;
  const observer = new MutationObserver(() => { if (holds()) end(true); });
  const end = (held) => {
    observer.disconnect();
    clearTimeout(timer);
    resolve(held);
  };
  observer.observe(node, { subtree: true, childList: true, attributes: true });
  if (patience) timer = setTimeout(end, patience, false);
  if (holds()) end(true);
});
