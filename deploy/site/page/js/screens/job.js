// How far a job is, and what came of it: templates/predictions/batch.html, out of docs/contract.md, section 8.

import { drawCharts } from "../../portico/js/charts.js";
import { element } from "../../portico/js/drawing.js";
import { count } from "../../portico/js/numbers.js";
import { cancelJob, readJob, Refused } from "../api.js";
import { Told } from "../errors.js";
import { showNothing } from "../head.js";
import { readPage } from "../pages.js";

const FIRST_MS = 700;
const SLOWEST_MS = 4000;
const GOES_ON = "The job itself goes on.";
const STAGES = {
  queued: "Queued: it begins in a moment",
  planning: "Reading the file and cutting it into parts",
  running: "Scoring",
};
const WORDS = {
  queued: "Queued",
  planning: "Being read",
  running: "Running",
  done: "Done",
  "done with errors": "Done with errors",
  failed: "Failed",
  cancelled: "Cancelled",
};
const TONES = { done: "tone-good", "done with errors": "tone-caution", failed: "tone-bad", cancelled: "tone-neutral" };

/** What the person called the job's file, for this tab: its key has no room for blanks and the like. */
export function noteFile(job, name) {
  sessionStorage.setItem(`portico.job.${job}`, name);
}

export async function showJob(root, { signal }, slug, id) {
  const found = await Promise.all([readJob(slug, id), readPage(slug)]).catch((error) => {
    if (error instanceof Refused && error.status === 404) return null;
    throw error;
  });
  if (signal.aborted) return;
  if (found) new Screen(root, { slug, id, signal, job: found[0], page: found[1] }).follow();
  else showNothing(root);
}

class Screen {
  constructor(root, facts) {
    Object.assign(this, facts);
    this.model = this.page?.name ?? this.slug;
    this.file = sessionStorage.getItem(`portico.job.${this.id}`) ?? this.job.fileName;
    root.className = "page-batch";
    this.badge = element("span", {});
    this.buttons = element("div", { class: "buttons" }, this.drawCancel());
    this.said = element("p", { class: "hidden", role: "status" });
    this.problem = element("p", { class: "notice tone-caution", role: "status", hidden: true });
    this.body = element("div");
    const back = element("a", { href: `#/${this.slug}/file` }, `Score a file with ${this.model}`);
    const crumbs = element("p", { class: "crumbs" }, back);
    const lead = element("p", { class: "lead" }, `${this.model}, version ${this.job.version}`);
    const titles = element("div", {}, crumbs, element("h1", {}, this.file, " ", this.badge), lead);
    const head = element("header", { class: "model-head batch-head" }, titles, this.buttons);
    root.replaceChildren(head, this.said, this.problem, this.body);
    this.show();
  }

  get isUnderWay() {
    return this.job.status in STAGES;
  }

  async follow() {
    for (let wait = FIRST_MS; this.isUnderWay; wait = Math.min(wait * 1.2, SLOWEST_MS)) {
      await new Promise((resolve) => setTimeout(resolve, wait));
      if (this.signal.aborted) return;
      await this.attempt(() => this.look(), GOES_ON);
    }
  }

  async look() {
    const job = await readJob(this.slug, this.id);
    if (this.signal.aborted || JSON.stringify(job) === JSON.stringify(this.job)) return;
    this.job = job;
    this.show();
  }

  /** Does it; what goes wrong stands on the page until something goes right. */
  async attempt(action, next = "") {
    try {
      await action();
      this.problem.hidden = true;
    } catch (error) {
      if (!(error instanceof Told)) throw error;
      this.problem.textContent = `${error.message} ${next}`;
      this.problem.hidden = false;
    }
  }

  show() {
    const { status } = this.job;
    const stage = STAGES[status] ?? WORDS[status];
    const farness = this.percent === null ? WORDS[status] : `${this.percent} %`;
    document.title = [this.isUnderWay && farness, this.file, "Portico"].filter(Boolean).join(" · ");
    this.badge.className = `band ${TONES[status] ?? "accent"}`;
    this.badge.textContent = WORDS[status];
    this.buttons.hidden = !this.isUnderWay;
    // Each stage is read out once; the figures are not.
    if (this.said.textContent !== stage) this.said.textContent = stage;
    this.body.replaceChildren(...(this.isUnderWay ? this.drawRunning(stage) : this.drawEnded()).filter(Boolean));
  }

  get percent() {
    const { status, parts, partsDone } = this.job;
    return status === "running" && parts ? Math.floor((100 * partsDone) / parts) : null;
  }

  drawRunning(stage) {
    const { parts, partsDone, rows } = this.job;
    const done = parts ? [count(partsDone), " of ", count(parts), ` part${plural(parts)}`] : "";
    const panel = element(
      "div",
      { class: "panel progress" },
      element("p", {}, element("strong", {}, stage), " ", element("span", {}, done)),
      element("progress", { max: 100, value: this.percent, "aria-label": "Progress of the batch" }),
      this.percent !== null && element("p", { class: "aside" }, `${this.percent} %`),
    );
    const words = "You may close this page; the job goes on. Its address leads back here.";
    const after = element("p", { class: "aside after" }, words);
    const errors = this.drawErrors("First rows that could not be scored");
    return [panel, rows > 0 && this.drawCounts(), this.drawSpread(), errors, after];
  }

  drawEnded() {
    const { status, message } = this.job;
    const link = element("a", { class: "button", href: `#/${this.slug}/file` }, "Score another file");
    const another = element("p", { class: "after" }, link);
    if (status === "failed") return [drawNotice("bad", "This file was not scored.", message), another];
    if (status === "cancelled") return [drawNotice("neutral", "This batch was cancelled."), another];
    const errors = this.drawErrors("Rows that could not be scored");
    return [this.drawCounts(this.drawDownload()), this.drawFailed(), this.drawSpread(), errors, another];
  }

  drawCounts(download = null) {
    const { scored, failed } = this.job;
    return element(
      "div",
      { class: "counts" },
      element("p", {}, element("strong", {}, count(scored)), ` row${plural(scored)} scored`),
      element("p", { class: failed > 0 && "tone-caution" }, element("strong", {}, count(failed)), " not scored"),
      download,
    );
  }

  drawFailed() {
    const { failed, rows } = this.job;
    if (!failed) return null;
    const first = [count(failed), " of ", count(rows), ` row${plural(rows)} could not be scored. `];
    const then = "They keep their place in the result, with the reason in the column ";
    return element("p", { class: "notice tone-caution" }, first, then, element("code", {}, "error"), ".");
  }

  /** Nothing where the model is no longer live: only its page has the words. */
  drawSpread() {
    return this.page && this.job.distribution && drawCharts(this.page, this.job.distribution);
  }

  drawErrors(heading) {
    const { errors, failed } = this.job;
    if (!errors?.length) return null;
    const rows = errors.map(({ line, error }) =>
      element("tr", {}, element("td", { class: "number" }, count(line)), element("td", {}, error)),
    );
    const line = element("th", { scope: "col", class: "number" }, "Line");
    const head = element("tr", {}, line, element("th", { scope: "col" }, "What is wrong"));
    const table = element("table", { class: "table errors" }, element("thead", {}, head), element("tbody", {}, rows));
    const region = { role: "region", "aria-label": "Rows and what is wrong with them" };
    return element(
      "section",
      { "aria-labelledby": "errors-title" },
      element("h2", { id: "errors-title" }, heading),
      element("div", { class: "scroll", tabindex: 0, ...region }, table),
      failed > errors.length && element("p", { class: "aside" }, `The first ${errors.length} of `, count(failed), "."),
    );
  }

  /** Its link is good for minutes, so that it is made when it is wanted. */
  drawDownload() {
    const button = element("button", { type: "button", class: "button primary" }, "Download the result");
    button.addEventListener("click", () =>
      this.attempt(async () => {
        const { downloadLink } = await readJob(this.slug, this.id);
        window.location.assign(downloadLink);
      }),
    );
    return element("p", { class: "get" }, button);
  }

  drawCancel() {
    const button = element("button", { type: "button", class: "button" }, "Cancel");
    button.addEventListener("click", async () => {
      button.disabled = true;
      await this.attempt(async () => {
        await cancelJob(this.slug, this.id);
        await this.look();
      });
      button.disabled = false;
    });
    return button;
  }
}

function drawNotice(tone, first, then = "") {
  const words = element("p", {}, element("strong", {}, first), ` ${then}`);
  return element("div", { class: `notice tone-${tone}`, role: "status" }, words);
}

function plural(number) {
  return number === 1 ? "" : "s";
}
