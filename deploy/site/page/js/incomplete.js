// Where one of the page's files does not come, none of its modules runs that could say so. This is no module.

{
  const tell = () => {
    const words = document.createElement("p");
    words.setAttribute("role", "alert");
    words.textContent = "This page did not load completely. Load it again in a moment.";
    document.querySelector("main").replaceChildren(words);
  };

  window.addEventListener(
    "error",
    ({ target }) => {
      if (!(target instanceof HTMLScriptElement)) return;
      if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", tell);
      else tell();
    },
    true,
  );
}
