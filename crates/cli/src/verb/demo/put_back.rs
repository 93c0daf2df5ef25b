//! Somebody clears the queue; it is put back from the state before, and nothing else is.

use std::fs;

use dalsegno::{Change, Report};
use serde::Serialize;
use serde_json::Value;

use super::check;
use super::evening::{Playing, STEPS, Who};
use super::house::House;
use super::play::Played;
use super::proof::Kept;
use crate::failure::{Failure, Result};
use crate::output::Out;
use crate::verb::put::planned;
use crate::{human, style};

const COMPONENT: &str = "queue";

/// What was put back.
#[derive(Debug, Serialize)]
pub(super) struct PutBack {
    upcoming_before: usize,
    upcoming_after: usize,
    report: Report,
    /// The queue is that of the snapshot, byte for byte, and every other component is as it was.
    checked: bool,
}

/// Clears the queue of the live player, saves that, and restores the queue into the player's file.
pub(super) fn put_back(house: &House, played: &mut Played, out: &mut Out) -> Result<PutBack> {
    let session = Who::Guild.session();
    let cleared = played.evening.cleared();
    let file = &house.player;
    fs::write(file, &cleared).map_err(|e| Failure::io(format!("writing {}", file.display()), e))?;
    let mishap = played.engine.save_json(session, cleared.clone());
    let mishap = mishap.label("!clear, by mistake").commit()?;
    played
        .kept
        .push(Kept::told(STEPS, Who::Guild, mishap.id.to_string()).with(cleared));

    let reference = format!("{session}@-1");
    let restore = played
        .engine
        .put_back(&reference)
        .component(COMPONENT)
        .to_file(file);
    let plan = restore.plan()?;
    check(plan.changes, "there is a queue to put back")?;
    let changed = plan.components.iter().filter(|c| c.change != Change::Same);
    check(
        changed.map(|c| &*c.name).eq([COMPONENT]),
        "only the queue changes",
    )?;
    if !out.is_json() {
        out.line(
            "   Somebody typed !clear. The state before is one back, and only the queue is wanted.",
        )?;
        for line in planned(&plan).lines() {
            out.line(format!("   {line}"))?;
        }
    }
    let report = restore.apply()?;
    let now = fs::read(file).map_err(|e| Failure::io(format!("reading {}", file.display()), e))?;
    let facts = compare(played, &reference, report, &now)?;
    if !out.is_json() {
        let kept = facts
            .report
            .safety
            .as_ref()
            .map(|safety| human::short(safety.id));
        out.line(format!(
            "   {}: the file has its {} tracks again, and every other component as it was, byte for byte.\n   \
             What stood there is kept as {}.",
            style::good("done"),
            facts.upcoming_after,
            kept.unwrap_or_default()
        ))?;
    }
    Ok(facts)
}

/// Compares the file with the snapshot it was restored from and with what stood there before.
fn compare(played: &mut Played, reference: &str, report: Report, now: &[u8]) -> Result<PutBack> {
    let engine = &played.engine;
    let Some(safety) = report.safety.as_ref().map(|safety| safety.id.to_string()) else {
        return Err(Failure::problem("what stood in the file was not kept"));
    };
    // By its id: what was kept since may have moved the reference.
    let from = report
        .plan
        .snapshot
        .as_ref()
        .map(|from| from.id.to_string());
    let source = engine.restore(&from.unwrap_or_else(|| reference.to_owned()))?;
    let before = engine.restore(&safety)?;
    // The bot reads its file and goes on: so the new state is saved, and can be taken apart.
    let saved = engine
        .save_json(Who::Guild.session(), now.to_vec())
        .commit()?;
    let after = engine.restore(&saved.id.to_string())?;
    check(
        after.text() == now,
        "what was saved of the file is the file",
    )?;
    check(
        after.component(COMPONENT)? == source.component(COMPONENT)?,
        "the file has the queue of the snapshot, byte for byte",
    )?;
    check(
        after.components()? == before.components()?,
        "the file has the same components",
    )?;
    for name in before
        .components()?
        .iter()
        .filter(|name| *name != COMPONENT)
    {
        check(
            after.component(name)? == before.component(name)?,
            &format!("the component {name} stayed as it was"),
        )?;
    }
    let upcoming = |state: &Value| Playing::of(state).upcoming;
    let facts = PutBack {
        upcoming_before: upcoming(&before.to()?),
        upcoming_after: upcoming(&after.to()?),
        report,
        checked: true,
    };
    let kept = |id, text| Kept::told(STEPS, Who::Guild, id).with(text);
    played.kept.push(kept(safety, before.into_text()));
    played.kept.push(kept(saved.id.to_string(), now.to_vec()));
    Ok(facts)
}
