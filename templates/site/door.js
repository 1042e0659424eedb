"use strict";
// Goes on to the newest publication: to the page behind this door, at the period that was asked for.
(() => {
  const way = document.getElementById("way");
  const period = location.hash.slice(1);
  if (!("gone" in way.dataset)) {
    location.replace(way.href + (period ? `/${period}` : ""));
    return;
  }
  // A server shows this page at the address of a publication that was taken away.
  const page = /\/v\/[^/]+\/(.+\.html)$/.exec(location.pathname);
  if (page) location.replace(`${way.href}#${page[1]}${period ? `/${period}` : ""}`);
})();
