"use strict";
// Show the claims of one verdict, in all tables alike. Without this script all are shown.
const filters = document.querySelectorAll(".filter");

function show(verdict) {
  for (const filter of filters) {
    filter.hidden = false;
    filter.querySelector("select").value = verdict;
    filter.classList.toggle("all", verdict === "");
  }
  for (const row of document.querySelectorAll("tr[data-verdict]"))
    row.hidden = verdict !== "" && row.dataset.verdict !== verdict;
  for (const claim of document.querySelectorAll("tbody.claim"))
    claim.hidden = !claim.querySelector("tr[data-verdict]:not([hidden])");
}

// A link to what is folded opens it.
function unfold() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const folded = target && (target.matches("details") ? target : target.closest("details"));
  if (folded) folded.open = true;
}

for (const filter of filters)
  filter.querySelector("select").addEventListener("change", (event) => show(event.target.value));
addEventListener("hashchange", unfold);
show("");
unfold();
