"use strict";
// Extras: doors to a page of this publication, search and filter, copying, the period asked for.
// Without JavaScript every page is whole, and these stay hidden.

// index.html#kpi/messages.html/2026-W47 → that page of the newest publication, at that week.
function goThroughDoor() {
  const asked = /^#(.+?\.html)(?:\/(.+))?$/.exec(decodeURIComponent(location.hash));
  const door = asked && document.getElementById(asked[1]);
  if (!door || !("door" in door.dataset)) return;
  location.replace(door.href + (asked[2] ? `#${encodeURIComponent(asked[2])}` : ""));
}

function showPeriod() {
  const row = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const folded = row && row.closest("details");
  if (!folded || folded.open) return;
  folded.open = true;
  row.scrollIntoView({ block: "center" });
}

function filterList(form) {
  const items = [...document.getElementById(form.dataset.list).children];
  const none = document.getElementById(`${form.dataset.list}-none`);
  const said = form.querySelector("output");
  const words = new Map(items.map((item) => [item, item.textContent.toLowerCase()]));
  const tone = () => (form.elements.tone ? form.elements.tone.value : "all");
  const show = () => {
    const asked = form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (item) =>
      (tone() === "all" || item.dataset.tone === tone()) &&
      asked.every((word) => words.get(item).includes(word));
    for (const item of items) item.hidden = !fits(item);
    const shown = items.filter((item) => !item.hidden).length;
    none.hidden = shown > 0;
    said.textContent = said.dataset.text.replace("{}", shown).replace("{}", items.length);
  };
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", show);
  form.hidden = false;
  if (form.elements.text.value || tone() !== "all") show(); // what a browser kept on coming back
}

function offerCopy(button) {
  const text = button.previousElementSibling.textContent;
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text);
    button.textContent = button.dataset.done;
  });
}

goThroughDoor();
showPeriod();
addEventListener("hashchange", () => {
  goThroughDoor();
  showPeriod();
});
document.querySelectorAll("form.filter").forEach(filterList);
document.querySelectorAll("button.copy").forEach(offerCopy);
