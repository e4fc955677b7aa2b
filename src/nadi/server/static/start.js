// The newest runs, read again every few seconds while somebody looks. All text from the store becomes text nodes.

const PERIOD = 5000;
const message = document.getElementById("message");
const table = document.getElementById("runs");

async function ask(path) {
  const answer = await fetch(path, { headers: { Accept: "application/json" } });
  if (answer.status === 401) {
    location.assign("login");
    throw new Error("not logged in");
  }
  if (!answer.ok) {
    const problem = await answer.json().catch(() => null);
    throw new Error(problem?.detail ?? `The server answered ${answer.status}.`);
  }
  return answer.json();
}

function cell(row, text, name = "") {
  const td = document.createElement("td");
  td.textContent = text;
  td.className = name;
  row.append(td);
}

function seconds(duration) {
  if (duration < 60) return `${duration.toFixed(duration < 10 ? 1 : 0)} s`;
  const minutes = Math.floor(duration / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function show(runs) {
  const rows = runs.map((run) => {
    const row = document.createElement("tr");
    cell(row, run.state_name, `state state-${run.state}`);
    cell(row, run.name);
    cell(row, run.flow);
    cell(row, run.created ? new Date(run.created).toLocaleString() : "", "number");
    cell(row, run.started ? seconds(run.duration) : "", "number");
    return row;
  });
  table.tBodies[0].replaceChildren(...rows);
  table.hidden = runs.length === 0;
  message.hidden = runs.length > 0;
  message.textContent = "Nothing is recorded yet. Run a flow, and it is here.";
}

async function look() {
  if (document.visibilityState === "visible") {
    try {
      show((await ask("api/flow-runs?limit=50")).runs);
    } catch (error) {
      message.hidden = false;
      message.textContent = `The runs cannot be shown: ${error.message}`;
    }
  }
  setTimeout(look, PERIOD);
}

async function introduce() {
  const [server, me] = await Promise.all([ask("api/server"), ask("api/me")]);
  document.getElementById("server").textContent = `${server.version} · ${server.store}`;
  const button = document.getElementById("logout");
  button.hidden = me.how !== "session";
  button.addEventListener("click", async () => {
    await fetch("api/logout", { method: "POST" });
    location.assign("login");
  });
}

look();
introduce().catch(() => {});
