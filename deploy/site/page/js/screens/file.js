// A file is chosen here and sent to the person's own folder: templates/predictions/new_batch.html. Its job then has a
// screen of its own.

import { element } from "../../portico/js/drawing.js";
import { Clock, Meter } from "../../portico/js/sending.js";
import { startJob } from "../api.js";
import { ENDINGS, fileKeyFor, putObject } from "../aws.js";
import { whatIsKeptOfFile } from "../changes.js";
import { Told } from "../errors.js";
import { drawHead, showNothing } from "../head.js";
import { readPage } from "../pages.js";
import { noteFile } from "./job.js";

const HELP = "CSV, JSON Lines, Parquet or Excel: a header, then one row an observation. Drop it here or choose it.";
const COLUMNS =
  "In any order; other columns are kept as they are. CSV and TSV with any of the usual delimiters and encodings, " +
  "JSON Lines, Parquet or an Excel workbook (.xlsx); CSV may be packed as .gz, .zst or .zip. ";
const BROKE = "The connection broke. Nothing was scored; try again.";
const STOPPED = "The upload was stopped. Nothing was scored.";

export async function showFile(root, { signal }, slug) {
  const page = await readPage(slug);
  if (signal.aborted) return;
  if (page) new Screen(root, page, signal);
  else showNothing(root);
}

class Screen {
  constructor(root, page, signal) {
    this.page = page;
    this.leaving = signal;
    this.draw(root);
    this.meter = new Meter(this.form, this.form.querySelector("[data-progress-label]"));
    // What has arrived is not sent twice, and what is asked for twice is one job.
    this.sent = null;
    this.listen();
  }

  draw(root) {
    document.title = `Score a file · ${this.page.name} · Portico`;
    root.className = "page-batch";
    this.problem = element("div", { class: "notice tone-bad", role: "alert", hidden: true });
    const accept = ENDINGS.map(lastEnding).join();
    const about = { id: "file", name: "file", "aria-describedby": "file-help", required: true };
    this.input = element("input", { type: "file", accept, ...about });
    const label = element("label", { for: "file" }, "File");
    const help = element("p", { class: "help", id: "file-help" }, HELP);
    this.zone = element("div", { class: "drop-zone" }, label, help, this.input);
    this.stop = element("button", { type: "button", class: "button" }, "Stop the upload");
    const progress = element(
      "div",
      { "data-progress": true, hidden: true },
      element("label", { for: "upload-progress", "data-progress-label": true }, "Uploading"),
      element("progress", { id: "upload-progress", max: 100, value: 0 }),
      element("p", {}, this.stop),
    );
    const button = element("button", { class: "primary" }, "Score the file");
    const kept = element("p", { class: "aside kept" }, whatIsKeptOfFile(this.page));
    const parts = [this.problem, this.zone, progress, button, kept];
    this.form = element("form", { class: "panel drop", novalidate: true }, parts);
    root.replaceChildren(drawHead(this.page, "file"), this.form, this.drawColumns());
  }

  drawColumns() {
    const template = element("a", { href: "#", download: `${this.page.slug}.csv` }, "Download a file to start from");
    template.addEventListener("click", (event) => {
      event.preventDefault();
      save(`${this.page.slug}.csv`, templateOf(this.page));
    });
    const chips = this.page.features.map(({ name, accepts_missing: mayMiss }) =>
      element("li", {}, element("code", {}, name), mayMiss && [" ", element("span", {}, "may be empty")]),
    );
    return element(
      "section",
      { class: "columns", "aria-labelledby": "columns-title" },
      element("h2", { id: "columns-title" }, "Columns the file needs"),
      element("p", {}, COLUMNS, template),
      element("ul", { class: "chips" }, chips),
    );
  }

  listen() {
    const over = (isOver) => (event) => {
      event.preventDefault();
      this.zone.classList.toggle("is-over", isOver);
    };
    for (const name of ["dragenter", "dragover"]) this.zone.addEventListener(name, over(true));
    for (const name of ["dragleave", "drop"]) this.zone.addEventListener(name, over(false));
    this.zone.addEventListener("drop", ({ dataTransfer: { files } }) => {
      if (files.length === 1) this.input.files = files;
      else this.tell("One file at a time, please.");
    });
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      const file = this.input.files[0];
      if (!file) this.tell("Choose a file first.");
      else if (!this.stopping) this.send(file);
    });
    this.stop.addEventListener("click", () => this.stopping?.abort());
    this.leaving.addEventListener("abort", () => this.stopping?.abort());
  }

  async send(file) {
    this.problem.hidden = true;
    this.stopping = new AbortController();
    window.addEventListener("beforeunload", askBeforeLeaving);
    this.meter.start();
    try {
      if (this.sent?.file !== file) await this.upload(file);
      this.stop.hidden = true;
      this.meter.wait("Starting");
      const job = await startJob(this.page.slug, this.sent.fileKey, { bands: this.page.bands, key: this.sent.key });
      noteFile(job, file.name);
      if (!this.leaving.aborted) window.location.hash = `#/${this.page.slug}/file/${job}`;
    } catch (error) {
      this.tell(wordsFor(error));
      if (!(error instanceof Told) && error.name !== "AbortError") throw error;
    } finally {
      this.stopping = null;
      this.stop.hidden = false;
      this.meter.stop();
      window.removeEventListener("beforeunload", askBeforeLeaving);
    }
  }

  async upload(file) {
    const fileKey = fileKeyFor(file);
    const clock = new Clock();
    await putObject(fileKey, file, {
      onProgress: (sent, all) => {
        const words = [`Uploading, ${Math.floor((100 * sent) / all)} %`, clock.left(sent, all)].filter(Boolean);
        this.meter.at(sent / all, words.join(", "));
      },
      signal: this.stopping.signal,
    });
    this.sent = { file, fileKey, key: crypto.randomUUID() };
  }

  tell(words) {
    this.problem.textContent = words;
    this.problem.hidden = false;
  }
}

function wordsFor(error) {
  if (error instanceof Told) return error.message;
  return error.name === "AbortError" ? STOPPED : BROKE;
}

function askBeforeLeaving(event) {
  event.preventDefault();
}

/** A file to start from: the header the model needs, and its examples as rows. */
function templateOf({ features, examples }) {
  const names = features.map(({ name }) => name);
  const rows = examples.map(({ row }) => names.map((name) => row[name]));
  return [names, ...rows].map((cells) => `${cells.map(asCell).join(",")}\r\n`).join("");
}

function asCell(value) {
  const text = value === null || value === undefined ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function save(name, text) {
  const href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  element("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 10_000);
}

// Browsers know the last ending alone.
function lastEnding(ending) {
  return `.${ending.split(".").at(-1)}`;
}
