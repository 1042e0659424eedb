"use strict";
// SQL from the page's form → rows, by DuckDB in a worker of this page. Nothing is loaded before the
// first question, and all of it lies on this site: the policy of the page allows nothing else.
(() => {
  const TABLES = ["kpi_values", "kpis", "goal_status"];
  const SHOWN = 500;
  const QUIET = "console.log = console.warn = () => {};\n"; // it tells of every file it makes
  const form = document.getElementById("ask");
  const told = document.getElementById("told");
  const failed = document.getElementById("failed");
  const answer = document.getElementById("answer");
  const taken = document.getElementById("taken");
  const question = form.elements.question;
  let database = null;

  async function bytes(url) {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${url}: ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  }

  // Files lie compressed beside the pages; some servers and browsers undo that on the way.
  async function unpacked(url, type) {
    const found = await bytes(url);
    const packed = found[0] === 0x1f && found[1] === 0x8b;
    const stream = new Blob([found]).stream();
    const plain = packed ? stream.pipeThrough(new DecompressionStream("gzip")) : stream;
    return new Response(plain, { headers: { "content-type": type } }).blob();
  }

  // The worker's own protocol: a numbered message for each call, and an answer that names it.
  function conversation(worker) {
    const waiting = new Map();
    let number = 0;
    worker.onmessage = ({ data: { type, requestId, data } }) => {
      if (type === "LOG" || type === "INSTANTIATE_PROGRESS" || !waiting.has(requestId)) return;
      const [done, wrong] = waiting.get(requestId);
      waiting.delete(requestId);
      if (type === "ERROR") wrong(new Error(data.message || String(data)));
      else done(data);
    };
    worker.onerror = (event) => waiting.forEach(([, wrong]) => wrong(new Error(event.message)));
    return (type, data) =>
      new Promise((done, wrong) => {
        number += 1;
        waiting.set(number, [done, wrong]);
        worker.postMessage({ messageId: number, type, data });
      });
  }

  async function opened() {
    const at = form.dataset.engine;
    const [script, program] = await Promise.all([
      unpacked(`${at}worker.js.gz`, "text/javascript"),
      unpacked(`${at}duckdb.wasm.gz`, "application/wasm"),
    ]);
    const worker = new Worker(URL.createObjectURL(new Blob([QUIET, script])));
    const call = conversation(worker);
    await call("INSTANTIATE", [URL.createObjectURL(program), null]);
    await call("OPEN", { path: ":memory:" });
    const connection = await call("CONNECT", null);
    const run = (sql) => call("RUN_QUERY", [connection, sql]);
    await run("set autoinstall_known_extensions = false; set autoload_known_extensions = false");
    for (const name of TABLES) {
      const file = `${name}.csv`;
      await call("REGISTER_FILE_BUFFER", [file, await bytes(form.dataset.files + file)]);
      await run(`create table ${name} as from read_csv('${file}', header = true)`);
    }
    return { call, run };
  }

  // DuckDB writes the answer as CSV: rows without a reader of Arrow, and a file to take away.
  async function rows(sql) {
    const { call, run } = await database;
    await run(`copy (from (${sql}\n)) to 'answer.csv' (header true)`);
    const found = await call("COPY_FILE_TO_BUFFER", "answer.csv");
    await call("DROP_FILE", "answer.csv");
    return found;
  }

  function parsed(text) {
    const lines = [[]];
    const cells = /(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r?\n|$)/y;
    while (cells.lastIndex < text.length) {
      const [, quoted, plain, end] = cells.exec(text);
      lines.at(-1).push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
      if (end !== "," && cells.lastIndex < text.length) lines.push([]);
    }
    return lines;
  }

  function element(kind, text, parent) {
    const made = parent.appendChild(document.createElement(kind));
    made.textContent = text;
    return made;
  }

  function show(lines) {
    const [head, ...body] = lines;
    const table = document.createElement("table");
    table.className = "slim";
    const top = table.createTHead().insertRow();
    const kinds = head.map((_, at) => (body.every((line) => !isNaN(line[at])) ? "figure" : ""));
    const fill = (row, kind, line) =>
      line.forEach((cell, at) => (element(kind, cell, row).className = kinds[at]));
    fill(top, "th", head);
    for (const cell of top.cells) cell.scope = "col";
    const rest = table.createTBody();
    for (const line of body.slice(0, SHOWN)) fill(rest.insertRow(), "td", line);
    answer.replaceChildren(table);
    answer.hidden = false;
  }

  function offer(csv) {
    const link = taken.querySelector("a");
    URL.revokeObjectURL(link.href);
    link.href = URL.createObjectURL(new Blob([csv], { type: "text/csv" }));
    taken.hidden = false;
  }

  async function ask() {
    failed.hidden = answer.hidden = taken.hidden = true;
    told.textContent = database ? form.dataset.running : form.dataset.loading;
    try {
      database ??= opened();
      await database;
      told.textContent = form.dataset.running;
      const start = performance.now();
      const csv = await rows(question.value.trim().replace(/;\s*$/, ""));
      const spent = Math.round(performance.now() - start);
      const lines = parsed(new TextDecoder().decode(csv));
      show(lines);
      offer(csv);
      const count = lines.length - 1;
      const cut = count > SHOWN ? ` ${form.dataset.cut.replace("{}", SHOWN)}` : "";
      told.textContent = form.dataset.rows.replace("{}", count).replace("{}", spent) + cut;
    } catch (error) {
      const isEngine = await database?.then(() => false, () => true);
      if (isEngine) database = null; // the next question tries again
      told.textContent = "";
      failed.textContent = isEngine ? `${form.dataset.failed} ${error.message}` : error.message;
      failed.hidden = false;
    }
  }

  if (location.protocol === "file:") {
    failed.textContent = form.dataset.file;
    failed.hidden = false;
    return;
  }
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });
  question.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  document.querySelectorAll("button.take").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => {
      question.value = button.previousElementSibling.textContent;
      question.focus();
    });
  });
})();
