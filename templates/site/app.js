"use strict";
// Shows only the measures of one reading. Without JavaScript all of them stay on the page.
(() => {
  const form = document.getElementById("filter");
  if (!form) return;
  const cards = [...document.querySelectorAll(".card")];
  const said = document.getElementById("shown");
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", () => {
    const tone = form.elements.tone.value;
    for (const card of cards) card.hidden = tone !== "all" && card.dataset.tone !== tone;
    const shown = cards.filter((card) => !card.hidden).length;
    said.textContent = said.dataset.text.replace("{}", shown).replace("{}", cards.length);
  });
})();
