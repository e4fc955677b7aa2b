// Logging in by name and password.

const form = document.getElementById("login");
const problem = document.getElementById("problem");

// A link that still works never comes here: it leads to the start page.
if (new URLSearchParams(location.search).has("code")) {
  problem.textContent = "That login link was used already, or is older than five minutes.";
  problem.hidden = false;
  history.replaceState(null, "", "login");
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  problem.hidden = true;
  const { name, password } = Object.fromEntries(new FormData(form));
  try {
    const answer = await fetch("api/login", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ name, password }),
    });
    if (answer.ok) {
      location.assign("./");
      return;
    }
    const told = await answer.json().catch(() => null);
    problem.textContent = told?.detail ?? `The server answered ${answer.status}.`;
  } catch {
    problem.textContent = "The server cannot be reached.";
  }
  problem.hidden = false;
});
