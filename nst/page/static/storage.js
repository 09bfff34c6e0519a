// What this browser ('localStorage') or this tab ('sessionStorage') keeps. A browser may forbid it, or have no room:
// then it is kept for as long as the page is.
export const kept = (storage, name) => {
  try { return window[storage].getItem(name); } catch { return null; }
};
export const keep = (storage, name, value) => {
  try {
    if (value === null) window[storage].removeItem(name); else window[storage].setItem(name, value);
  } catch { /* see above */ }
};
