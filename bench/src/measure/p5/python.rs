//! Snapshots and rollbacks through Python, against the original's way of doing it.
//!
//! The script measures itself: `bench/python/rollbacks.py`.

use std::fs::File;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::measure::{Plan, rounds};
use crate::peer::python;
use crate::report::{Bound, Cell, Findings, Table};
use crate::workload::game::GameDay;

const SCRIPT: &str = include_str!("../../../python/rollbacks.py");

/// How often each way has a process.
const TURNS: usize = 3;

/// What the script says: times in microseconds of CPU.
#[derive(Debug, Deserialize)]
struct Outcome {
    snapshot: Vec<f64>,
    rollback: Vec<f64>,
    /// What the session is at the end.
    end: String,
    held_bytes: u64,
}

/// Medians in microseconds of CPU.
struct Way {
    snapshot: f64,
    rollback: f64,
    end: String,
    held_bytes: u64,
}

impl Way {
    fn of(runs: Vec<Outcome>) -> Result<Self> {
        let median = |times: fn(&Outcome) -> &[f64]| {
            rounds::middle(runs.iter().flat_map(times).copied().collect())
        };
        let (snapshot, rollback) = (median(|run| &run.snapshot), median(|run| &run.rollback));
        let last = runs.into_iter().next_back().context("nothing was run")?;
        Ok(Self {
            snapshot,
            rollback,
            end: last.end,
            held_bytes: last.held_bytes,
        })
    }
}

/// Both ways on one game, process by process in turns.
fn compare(plan: &Plan, entries: usize) -> Result<[Way; 2]> {
    let folder = tempfile::tempdir()?;
    let input = folder.path().join("state.json");
    serde_json::to_writer(
        File::create(&input)?,
        GameDay::of_length(plan.seed, entries).state(),
    )?;
    let rounds = if plan.quick { 3 } else { 20 };
    let rounds = (rounds * 5_000 / entries.max(5_000)).max(5).to_string();
    let mut runs = [Vec::new(), Vec::new()];
    for _ in 0..TURNS {
        for (way, runs) in ["original", "dalsegno"].iter().zip(&mut runs) {
            let arguments = [way.as_ref(), input.as_os_str(), rounds.as_ref()];
            runs.push(python::measured::<Outcome>(SCRIPT, &arguments, "pydantic")?);
        }
    }
    let [original, dalsegno] = runs.map(Way::of);
    Ok([original?, dalsegno?])
}

pub(super) fn through(plan: &Plan, lengths: &[usize], found: &mut Findings) -> Result<()> {
    let columns = ["snapshot, CPU", "times less", "rollback, CPU", "times less"];
    for &entries in lengths {
        let [old, new] = compare(plan, entries)?;
        ensure!(old.end == new.end, "they went back to different states");
        let title = format!("through Python, a game of {entries} entries");
        let mut table = Table::new("p5", title, &columns);
        table.note(format!(
            "pydantic models, each way in processes of its own; a turn is played before each snapshot and does not \
             count; the original's way is model_dump and copy.deepcopy; Dalsegno's ten snapshots hold {:.2} MB",
            new.held_bytes as f64 / 1e6
        ));
        for (name, way) in [("the original's way", &old), ("dalsegno.claudmaster", &new)] {
            let cells = [
                Cell::Micros(way.snapshot),
                Cell::Times(old.snapshot / way.snapshot),
                Cell::Micros(way.rollback),
                Cell::Times(old.rollback / way.rollback),
            ];
            table.row(name, cells);
        }
        found.tables.push(table);
        if entries.abs_diff(5_000) < 100 {
            let both = |way: &Way| way.snapshot + way.rollback;
            for (what, times) in [
                ("snapshot", old.snapshot / new.snapshot),
                ("rollback", old.rollback / new.rollback),
                ("snapshot and a rollback", both(&old) / both(&new)),
            ] {
                let claim = format!(
                    "CPU, through Python, 5000 entries: a {what}, times less than the original's way"
                );
                found.claim("p5", claim, Bound::AtLeast(5.0), times);
            }
        }
    }
    Ok(())
}
