// The decision form: what a signature means, and the number without rejected clusters before anything is saved.
"use strict";

const form = document.getElementById("decide");
const boxes = [...document.querySelectorAll("[data-cluster]")];
const told = document.getElementById("recounted");

function chosen() {
  return form.querySelector("[name=kind]:checked")?.value;
}

function explain() {
  const meaning = document.getElementById("meaning"), kind = chosen();
  if (kind) meaning.textContent = `Your signature will state your printed name, the time in UTC, and: “${meaning.dataset[kind]}”.`;
  document.getElementById("override").disabled = kind !== "override";
}

function keep(rejected) {
  const place = document.getElementById("rejected");
  place.replaceChildren(...rejected.map((key) => Object.assign(document.createElement("input"), { type: "hidden", name: "rejected", value: key })));
}

async function countAgain() {
  const out = boxes.filter((b) => !b.checked), rejected = out.map((b) => b.dataset.cluster);
  keep(rejected);
  for (const plot of window.mrdPlots || []) {
    if (plot.info) plot.reject(out.filter((b) => b.dataset.tube === plot.info.tube).map((b) => Number(b.dataset.number)));
  }
  form.value.readOnly = false;
  if (!rejected.length) {
    told.textContent = "";
    return;
  }
  const body = new URLSearchParams([["csrf", form.csrf.value], ...rejected.map((k) => ["rejected", k])]);
  const answer = await fetch(form.action.replace(/decision$/, "recount"), { method: "POST", body });
  const count = await answer.json();
  if (count.error) {
    told.textContent = count.error;
    return;
  }
  const percent = (v) => Number(v.toPrecision(4));
  const tell = (c) => `${c.n_found.toLocaleString("en")} cells, MRD ${percent(c.percent)} % (Poisson interval ${percent(c.low)}–${percent(c.high)} %)`;
  const arms = count.arms.map((c) => `${c.arm}: ${tell(c)}, ${c.label}.`).join(" ");
  told.textContent = `Without the rejected, ${arms} ` + (count.changes
    ? `The visit's number is then ${tell(count)}; the decision table says: ${count.label}.`
    : "The visit's number rests on another arm and stays.");
  form.value.readOnly = count.changes;
  if (count.changes) {
    form.querySelector("[value=override]").checked = true;
    form.call.value = count.call;
    form.value.value = percent(count.percent);
  }
  explain();
}

if (form) {
  form.addEventListener("change", explain);
  form.addEventListener("submit", () => { form.querySelector(".sign button").disabled = true; });
  for (const box of boxes) box.addEventListener("change", countAgain);
  explain();
  if (boxes.some((b) => !b.checked)) countAgain();
}
