(() => {
  const form = document.getElementById("filter");
  const cells = [...document.querySelectorAll("#grid-table [data-call]")];
  const rows = [...document.querySelectorAll("#grid-table tbody tr")];
  const told = document.getElementById("filter-told");
  const apply = () => {
    const calls = new Set([...form.querySelectorAll("[name=call]:checked")].map((box) => box.value));
    const subject = form.elements.subject.value.trim().toLowerCase();
    const review = form.elements.review.checked;
    let shown = 0;
    for (const row of rows) {
      const named = row.dataset.subject.toLowerCase().includes(subject);
      let mine = 0;
      for (const cell of row.querySelectorAll("[data-call]")) {
        const kept = named && calls.has(cell.dataset.call) && (!review || cell.dataset.review === "Y");
        cell.classList.toggle("faded", !kept);
        mine += kept;
      }
      row.hidden = mine === 0;
      shown += mine;
    }
    told.textContent = `${shown} of ${cells.length} visits shown`;
  };
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(apply));
  form.hidden = false;
  apply();
})();
