// The page Add data: the file stays here and goes along with every question; what comes back are parts of the page.
"use strict";
(() => {
  const by = (id) => document.getElementById(id);
  const form = by("add"), drop = by("drop"), file = by("file"), key = by("key");
  if (!form) return;
  let dropped = null, asked = 0;

  const source = () => form.querySelector("input[name=source]:checked").value;

  function parameters() {
    const given = new URLSearchParams({ source: source(), file: dropped?.name.slice(0, 200) ?? "" });
    const header = by("header");
    if (header) {
      const names = JSON.parse(header.dataset.header);
      for (const one of form.querySelectorAll("[data-column]")) {
        const name = names[one.dataset.column];
        given.append("map", `${name}=${one.value === "attrs.*" ? `attrs.${name.replaceAll("=", "_")}` : one.value}`);
      }
      for (const one of form.querySelectorAll("[data-set]")) if (one.value.trim()) given.append("set", `${one.dataset.set}=${one.value.trim()}`);
      given.set("timezone", by("timezone").value.trim());
      given.set("decimal", by("decimal").value);
      if (by("dates").value) given.set("dates", by("dates").value);
    }
    return given;
  }

  async function ask(path, body) {
    const headers = { "content-type": "text/csv" };
    if (key.value.trim()) headers.authorization = `Bearer ${key.value.trim()}`;
    try {
      const answer = await fetch(path, { method: "POST", headers, body });
      return { good: answer.ok, text: await answer.text() };
    } catch (error) {
      return { good: false, text: '<section class="card refused" role="alert"><p><strong>That did not work.</strong> The collector did not answer, or the file changed since it was chosen. Choose it again.</p></section>' };
    }
  }

  async function look({ fresh = false } = {}) {
    if (!dropped) return;
    const number = ++asked, focused = document.activeElement?.id;
    if (fresh) by("columns").replaceChildren();
    by("outcome").replaceChildren();
    const answer = await ask(`/add/look?${parameters()}`, dropped);
    if (number !== asked) return; // another file or choice came in between
    by(answer.good ? "columns" : "outcome").innerHTML = answer.text;
    if (!answer.good) by("columns").replaceChildren();
    if (focused && !fresh) by(focused)?.focus();
  }

  async function settle(path, button) {
    const number = ++asked;
    button.disabled = true;
    const answer = await ask(`${path}?${parameters()}`, dropped);
    button.disabled = false;
    if (number !== asked) return;
    by("outcome").innerHTML = answer.text;
    by("result")?.focus();
    by("outcome").scrollIntoView({ block: "nearest" });
    if (answer.good && path === "/add/import") await list();
  }

  async function list() {
    const answer = await ask("/add/list");
    if (answer.good) by("imported").innerHTML = answer.text;
  }

  function choose(one) {
    if (!one) return;
    dropped = one;
    by("file-name").textContent = `${one.name}, ${Math.ceil(one.size / 1024).toLocaleString("en")} KB`;
    look({ fresh: true });
  }

  file.addEventListener("change", () => choose(file.files[0]));
  for (const name of ["dragenter", "dragover"]) drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.add("over"); });
  for (const name of ["dragleave", "drop"]) drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.remove("over"); });
  drop.addEventListener("drop", (event) => choose(event.dataTransfer.files[0]));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", (event) => {
    if (event.target.name === "source" || (event.target === key && !by("header"))) look({ fresh: true });
    else if (event.target.dataset.column !== undefined) look();
    else if (event.target.closest("#columns")) by("outcome").replaceChildren();
  });
  form.addEventListener("click", (event) => {
    if (event.target.id === "check") settle("/add/check", event.target);
    if (event.target.id === "import") settle("/add/import", event.target);
  });
  by("imported").addEventListener("click", async (event) => {
    const button = event.target.closest("[data-undo]");
    if (!button || !window.confirm(`Take ${button.dataset.said} out again?`)) return;
    button.disabled = true;
    const answer = await ask(`/add/undo/${button.dataset.undo}`);
    by("undone").innerHTML = answer.text;
    button.disabled = false;
    if (answer.good) await list();
  });
})();
