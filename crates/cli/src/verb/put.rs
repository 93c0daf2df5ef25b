//! What restore, rollback, undo and redo have in common: a plan is shown, done, and its outcome told.

use std::path::Path;

use dalsegno::{Change, ComponentChange, Engine, Plan, Report, Restore, Target, Verb};
use serde_json::{Value, json};

use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::output::Out;
use crate::verb::snapshot::info::not_as_saved;
use crate::{human, place, program, settings, style, table};

/// Shows what a restore would do and, unless that is all, does it.
pub(crate) fn carry_out(
    engine: &Engine,
    restore: Restore<'_>,
    dry_run: bool,
    global: &Global,
    out: &mut Out,
) -> Result<()> {
    let plan = restore.plan()?;
    if !out.is_json() {
        out.line(planned(&plan))?;
    }
    if dry_run {
        return if out.is_json() {
            out.json(&json!({"dry_run": true, "plan": value(&plan)?}))
        } else {
            out.line("dry run: nothing was changed")
        };
    }
    let report = restore.apply()?;
    out.did();
    if out.is_json() {
        let mut all = value(&report)?;
        if let Some(all) = all.as_object_mut() {
            all.shift_insert(0, "dry_run".to_owned(), json!(false));
        }
        return out.json(&all);
    }
    out.line(done(&report, engine, global).join("\n"))
}

/// Closes the store; what was done is done, also where tidying up fails.
pub(crate) fn close(engine: Engine, out: &Out) {
    if let Err(error) = engine.close() {
        let done = if out.is_done() {
            "it is done, but "
        } else {
            ""
        };
        out.note(format!("{done}packing the store failed: {error}"));
    }
}

/// Refuses a target that a state cannot be written to.
pub(crate) fn check_target(engine: &Engine, option: &str, to: &Path) -> Result<()> {
    if to == Path::new("-") {
        return Err(Failure::usage(
            "the state is written to a file; for standard output use `dalsegno snapshot show`",
        ));
    }
    if to.to_str().is_none() {
        // The answer names it, and neither JSON nor a reason kept with a snapshot could.
        return Err(Failure::usage(format!(
            "the path after {option} is not UTF-8; use another name"
        )));
    }
    place::not_the_store(engine, to)
}

fn value<T: serde::Serialize>(answer: &T) -> Result<Value> {
    serde_json::to_value(answer)
        .map_err(|e| Failure::usage(format!("the answer cannot be written as JSON: {e}")))
}

/// The plan: what will happen to each component of the target.
pub(crate) fn planned(plan: &Plan) -> String {
    let session = human::safe(&plan.session);
    let target = match &plan.target {
        Target::Head => format!("the newest stored state of {session}"),
        other => human::safe(&other.to_string()),
    };
    let what = match &plan.snapshot {
        Some(snapshot) => format!(
            "{} of {session}, taken {}",
            human::short(snapshot.id),
            human::time(snapshot.created_at)
        ),
        None => "what was kept beside it".to_owned(),
    };
    let what = if plan.removes {
        format!("remove {target}, which was not there before")
    } else {
        format!("{what}, to {target}")
    };
    let rows = plan.components.iter().map(row).collect();
    let mut lines = vec![format!("{} {what}", style::head("plan:"))];
    let said = plan.snapshot.as_ref().and_then(not_as_saved);
    lines.extend(said.map(|said| format!("  {}", style::changed(said))));
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
pub(crate) fn done(report: &Report, engine: &Engine, global: &Global) -> Vec<String> {
    let plan = &report.plan;
    let session = human::safe(&plan.session);
    let target = match &plan.target {
        Target::Head => "the newest stored state".to_owned(),
        other => human::safe(&other.to_string()),
    };
    if !plan.changes {
        let mut lines = vec![format!("nothing had to be done: {target} is that already")];
        if plan.verb == Verb::Rollback && plan.target != Target::Head {
            lines.push("to go further back: --steps 2, or more".to_owned());
        }
        return lines;
    }
    let mut lines = Vec::new();
    let good = style::good("done");
    match &plan.target {
        Target::Head => {
            let head = report.head.as_ref();
            let id = head.map_or_else(String::new, |head| human::short(head.id));
            lines.push(format!(
                "{good}: {target} of {session} is now {id}, and reads back as planned"
            ));
            lines.push(untold(engine, &plan.session).to_owned());
        }
        _ if plan.removes => {
            lines.push(format!("{good}: {target} is gone, as it was before"));
        }
        _ => lines.push(format!(
            "{good}: {target} was written and reads back as planned"
        )),
    }
    let said = plan.snapshot.as_ref().and_then(not_as_saved);
    lines.extend(said.map(style::changed));
    let other_way = match plan.verb {
        Verb::Undo => "redo",
        _ => "undo",
    };
    if let Some(why) = &report.no_undo {
        lines.push(format!(
            "`{other_way}` will not take it back: {}",
            human::safe(why)
        ));
        return kept(report, lines);
    }
    lines.push(take_back(other_way, &[], &plan.session, global));
    kept(report, lines)
}

/// What no program was told. One that opens its sessions has none open now, or it would have been refused.
fn untold(engine: &Engine, session: &str) -> &'static str {
    let known = engine.holders().unwrap_or_default();
    if known.iter().any(|holder| holder.session == session) {
        "no program has it open: the next one that opens it goes on with this"
    } else {
        "no running program was told: it goes on with the state it has"
    }
}

/// Adds where what stood there is kept.
fn kept(report: &Report, mut lines: Vec<String>) -> Vec<String> {
    if let Some(safety) = &report.safety {
        let id = human::short(safety.id);
        lines.push(format!("what stood there is kept as snapshot {id}"));
    }
    if let Some(kept) = &report.kept_beside {
        lines.push(format!(
            "what stood there is no JSON and is kept as {}",
            human::safe(&kept.display().to_string())
        ));
    }
    lines
}

/// How it is undone, or done again.
pub(crate) fn take_back(verb: &str, options: &[&str], session: &str, global: &Global) -> String {
    let command = again(verb, options, session, global);
    format!("to take it back: {}", human::safe(&command))
}

/// A command of `dalsegno` for a session, with the store where it was named.
pub(crate) fn again(verb: &str, options: &[&str], session: &str, global: &Global) -> String {
    let mut words = vec![verb.to_owned()];
    words.extend(options.iter().map(|option| (*option).to_owned()));
    if let Some(store) = &global.store {
        words.extend(["--store".to_owned(), program::path(store)]);
    }
    words.extend(settings::opening_words().flatten());
    if session.starts_with('-') {
        words.push("--".to_owned());
    }
    words.push(session.to_owned());
    program::command_of("dalsegno", words)
}
