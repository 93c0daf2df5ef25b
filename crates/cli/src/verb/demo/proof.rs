//! The proof: every acknowledged state compared with the evening told again, the whole store
//! verified, its bytes counted.

use std::time::Instant;

use dalsegno::{Engine, Query};
use serde::Serialize;

use super::check;
use super::crash::{Begun, Crash};
use super::evening::{Evening, Who};
use super::house::House;
use crate::failure::Result;
use crate::output::Out;
use crate::verb::verify;
use crate::{human, style, when};

/// A snapshot that was acknowledged, and what its state has to be.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    step: u32,
    who: Who,
    id: String,
    /// The state, where it is not one of the evening as told.
    text: Option<Vec<u8>>,
}

impl Kept {
    /// The state of the evening at a step.
    pub(super) fn told(step: u32, who: Who, id: String) -> Self {
        Self {
            step,
            who,
            id,
            text: None,
        }
    }

    /// Another state.
    pub(super) fn with(self, text: Vec<u8>) -> Self {
        Self {
            text: Some(text),
            ..self
        }
    }

    /// What a writer saved, if it was acknowledged.
    pub(super) fn of(save: &Begun) -> Option<Self> {
        Some(Self::told(save.step, save.who, save.id.clone()?))
    }
}

/// What a crash left.
#[derive(Debug, Serialize)]
pub(super) struct Survived {
    signal: &'static str,
    killed: u32,
    acknowledged: usize,
    cut_off: Option<Begun>,
    cut_off_is: &'static str,
}

/// Checks that the store has every acknowledged save, and the one that was cut off wholly or not at
/// all.
pub(super) fn survived(
    engine: &Engine,
    kept: &[Kept],
    crash: &Crash,
    out: &mut Out,
) -> Result<Survived> {
    let mut there = std::collections::HashSet::new();
    let mut newest = None;
    for snapshot in everything(engine)? {
        newest.get_or_insert_with(|| snapshot.clone());
        there.insert(snapshot.id.to_string());
    }
    let acknowledged: Vec<_> = crash
        .acknowledged()
        .filter_map(|save| save.id.clone())
        .collect();
    let before = kept.iter().map(|kept| &kept.id);
    for id in before.chain(&acknowledged) {
        check(there.remove(id), "every acknowledged snapshot is there")?;
    }
    check(
        there.len() <= 1,
        "at most the save that was cut off is there besides",
    )?;
    let cut_off = crash.cut_off().cloned();
    let cut_off_is = match (there.iter().next(), &cut_off) {
        (Some(id), Some(save)) => {
            let told = Evening::after(save.step)?.text(save.who);
            let restored = engine.restore(id)?;
            check(
                restored.snapshot().session == save.who.session(),
                "it is of the session it was for",
            )?;
            check(
                restored.text() == told,
                "the save that was cut off is there as a whole",
            )?;
            "there as a whole"
        }
        (None, _) => "not there at all",
        (Some(_), None) => "there, and nobody saved it",
    };
    check(cut_off.is_some(), "a save was cut off")?;
    if !out.is_json()
        && let Some(save) = &cut_off
    {
        let times = if crash.kills == 1 {
            String::new()
        } else {
            format!(" (at try {})", crash.kills)
        };
        out.line(format!(
            "   A second program went on with the evening and was killed with SIGKILL{times} while it saved\n   \
             {}. It had been told of {} that were safe: all are there.\n   \
             The one that was cut off, which nobody was told of, is {cut_off_is}.",
            save.who.session(),
            human::count(u64::try_from(acknowledged.len()).unwrap_or(u64::MAX), "save"),
        ))?;
    }
    Ok(Survived {
        signal: "SIGKILL",
        killed: crash.kills,
        acknowledged: acknowledged.len(),
        cut_off,
        cut_off_is,
    })
}

/// What was proved.
#[derive(Debug, Serialize)]
pub(super) struct Proved {
    /// Snapshots compared with the evening told again, byte for byte.
    compared: u64,
    intact: bool,
    snapshots: u64,
    states: u64,
    bytes: u64,
}

/// Compares every acknowledged state, and verifies the store.
pub(super) fn all(engine: &Engine, kept: &[Kept], out: &mut Out) -> Result<Proved> {
    let mut by_step: Vec<&Kept> = kept.iter().collect();
    by_step.sort_by_key(|kept| kept.step);
    let mut evening = Evening::begin()?;
    let mut compared = 0;
    for kept in by_step {
        while evening.steps() < kept.step {
            evening.step()?;
        }
        let restored = engine.restore(&kept.id)?;
        let right = match &kept.text {
            Some(text) => restored.text() == text,
            None => restored.text() == evening.text(kept.who),
        };
        check(right, "every acknowledged state comes back byte for byte")?;
        compared += 1;
    }
    let found = engine.verify(None)?;
    check(found.is_intact(), "verify finds no damage")?;
    if !out.is_json() {
        out.line(format!(
            "   {}: {} read back and compared with the evening told again, byte for byte",
            style::good("right"),
            human::count(compared, "acknowledged snapshot"),
        ))?;
        out.line(format!("   {}", verify::proved(&found, true)))?;
    }
    Ok(Proved {
        compared,
        intact: found.is_intact(),
        snapshots: found.snapshots,
        states: found.states,
        bytes: found.bytes,
    })
}

/// What the demo took.
#[derive(Debug, Serialize)]
pub(super) struct Cost {
    snapshots: u64,
    full_json_bytes: u64,
    store_bytes: u64,
    times_smaller: f64,
    seconds: f64,
}

/// Counts the bytes of the store's files against the states as JSON files.
pub(super) fn cost(house: &House, begun: Instant, out: &mut Out) -> Result<Cost> {
    let engine = house.open()?;
    let all = everything(&engine)?;
    let full_json_bytes = all.iter().map(|snapshot| snapshot.size).sum();
    engine.close()?;
    let store_bytes = house.bytes();
    let elapsed = begun.elapsed();
    #[expect(clippy::cast_precision_loss, reason = "a ratio to read")]
    let times_smaller = full_json_bytes as f64 / store_bytes.max(1) as f64;
    let cost = Cost {
        snapshots: u64::try_from(all.len()).unwrap_or(u64::MAX),
        full_json_bytes,
        store_bytes,
        times_smaller,
        seconds: elapsed.as_secs_f64(),
    };
    if !out.is_json() {
        out.line(format!(
            "   {} as JSON files: {}. The store: {}, all its files counted: {times_smaller:.0} times smaller.\n   \
             All of this took {}.",
            human::count(cost.snapshots, "snapshot"),
            human::size(full_json_bytes),
            human::size(store_bytes),
            when::seconds(elapsed),
        ))?;
    }
    Ok(cost)
}

/// Every snapshot of the store.
fn everything(engine: &Engine) -> Result<Vec<dalsegno::Snapshot>> {
    let page = engine.list(&Query {
        limit: usize::MAX,
        ..Query::default()
    })?;
    check(page.damaged.is_empty(), "no row is damaged")?;
    Ok(page.snapshots)
}
