//! `dalsegno snapshot restore`: puts a state back, and shows first what that means.

use std::path::{Path, PathBuf};

use clap::Args;
use dalsegno::{Change, ComponentChange, Engine, Plan, Report, Target};
use serde_json::{Value, json};

use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::output::Out;
use crate::place::{self, Place};
use crate::{human, program, style, table};

/// Put a state back, into a file or as the newest stored state
///
/// What stands at the target is kept first. A file is written whole or not at all, and read back.
/// With --component the other components of the target stay as they are.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno snapshot restore bot/42@-1 --to player.json --dry-run
  dalsegno snapshot restore bot/42@-1 --to player.json --component queue
  dalsegno snapshot restore bot/42@2026-11-20T21:30")]
pub(crate) struct Restore {
    /// The snapshot: an id or its beginning, a name, or SESSION@latest, @-2, @turn:42, @TIME
    #[arg(value_name = "REF")]
    reference: String,
    /// The file to write; without it the state becomes the session's newest stored state
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// Only this member of the top-level object; may be given several times
    #[arg(long = "component", value_name = "NAME")]
    components: Vec<String>,
    /// Show what would be done, without doing it
    #[arg(long)]
    dry_run: bool,
}

impl Restore {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let engine = Place::open(global)?;
        if let Some(to) = &self.to {
            self.check_target(&engine, to)?;
        }
        let restore = self.prepare(&engine);
        let plan = restore.plan()?;
        if !out.is_json() {
            out.line(planned(&plan))?;
        }
        if self.dry_run {
            return if out.is_json() {
                out.json(&json!({"dry_run": true, "plan": value(&plan)?}))
            } else {
                out.line("dry run: nothing was changed")
            };
        }
        let report = restore.apply()?;
        let lines = if out.is_json() {
            Vec::new()
        } else {
            done(&report, global)
        };
        if let Err(error) = engine.close() {
            out.note(format!(
                "it is restored, but packing the store failed: {error}"
            ));
        }
        if out.is_json() {
            let mut all = value(&report)?;
            if let Some(all) = all.as_object_mut() {
                all.shift_insert(0, "dry_run".to_owned(), json!(false));
            }
            return out.json(&all);
        }
        out.line(lines.join("\n"))
    }

    fn prepare<'a>(&self, engine: &'a Engine) -> dalsegno::Restore<'a> {
        let mut restore = engine.put_back(&self.reference);
        for component in &self.components {
            restore = restore.component(component);
        }
        match &self.to {
            Some(to) => restore.to_file(to),
            None => restore,
        }
    }

    fn check_target(&self, engine: &Engine, to: &Path) -> Result<()> {
        if to == Path::new("-") {
            return Err(Failure::usage(
                "a restore writes a file; for standard output use `dalsegno snapshot show`",
            ));
        }
        if to.to_str().is_none() {
            // The answer names it, and neither JSON nor a reason kept with a snapshot could.
            return Err(Failure::usage(
                "the path after --to is not UTF-8; use another name",
            ));
        }
        place::not_the_store(engine, to)
    }
}

fn value<T: serde::Serialize>(answer: &T) -> Result<Value> {
    serde_json::to_value(answer)
        .map_err(|e| Failure::usage(format!("the answer cannot be written as JSON: {e}")))
}

/// The plan: what will happen to each component of the target.
pub(crate) fn planned(plan: &Plan) -> String {
    let snapshot = &plan.snapshot;
    let target = match &plan.target {
        Target::File(path) => human::safe(&path.display().to_string()),
        Target::Head => format!(
            "the newest stored state of {}",
            human::safe(&snapshot.session)
        ),
    };
    let rows = plan.components.iter().map(row).collect();
    let mut lines = vec![format!(
        "{} {} of {}, taken {}, to {target}",
        style::head("plan:"),
        human::short(snapshot.id),
        human::safe(&snapshot.session),
        human::time(snapshot.created_at),
    )];
    lines.extend(
        table::lay_out(&["", "", ""], rows)
            .into_iter()
            .map(|line| format!("  {line}")),
    );
    lines.join("\n")
}

fn row(change: &ComponentChange) -> Vec<String> {
    let size = |bytes: Option<usize>| bytes.map_or_else(|| "nothing".to_owned(), human::length);
    let (word, sizes) = match change.change {
        Change::Same => ("same", size(change.after)),
        Change::Changed => (
            "changed",
            format!("{} → {}", size(change.before), size(change.after)),
        ),
        Change::Added => ("added", size(change.after)),
        Change::Removed => ("removed", format!("{} → nothing", size(change.before))),
    };
    vec![human::safe(&change.name), word.to_owned(), sizes]
}

/// What was done, and how it can be undone.
pub(crate) fn done(report: &Report, global: &Global) -> Vec<String> {
    let plan = &report.plan;
    if !plan.changes {
        let target = match &plan.target {
            Target::File(path) => human::safe(&path.display().to_string()),
            Target::Head => "the newest stored state".to_owned(),
        };
        return vec![format!("nothing had to be done: {target} is that already")];
    }
    let mut lines = Vec::new();
    match &plan.target {
        Target::File(path) => {
            let path = human::safe(&path.display().to_string());
            lines.push(format!(
                "{}: {path} was written and reads back as planned",
                style::good("done")
            ));
        }
        Target::Head => {
            let head = report.head.as_ref();
            let id = head.map_or_else(String::new, |head| human::short(head.id));
            lines.push(format!(
                "{}: the newest stored state of {} is now {id}, and reads back as planned",
                style::good("done"),
                human::safe(&plan.snapshot.session),
            ));
            lines.push("no running program was told: it goes on with the state it has".to_owned());
        }
    }
    if let (Some(safety), Target::File(path)) = (&report.safety, &plan.target) {
        lines.push(format!(
            "what stood there is kept as snapshot {}; to put it back:",
            human::short(safety.id)
        ));
        let mut words = vec![
            "snapshot".to_owned(),
            "restore".to_owned(),
            human::short(safety.id),
        ];
        words.extend(["--to".to_owned(), program::path(path)]);
        if let Some(store) = &global.store {
            words.extend(["--store".to_owned(), program::path(store)]);
        }
        lines.push(format!("  {}", human::safe(&program::command(words))));
    }
    if let Some(kept) = &report.kept_beside {
        lines.push(format!(
            "what stood there is no JSON and is kept as {}",
            human::safe(&kept.display().to_string())
        ));
    }
    lines
}
