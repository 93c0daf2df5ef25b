//! Snapshots and rollbacks through Python, against the original's way of doing it.
//!
//! The script measures itself: `bench/python/rollbacks.py`.

use std::fs::File;
use std::io::Write;

use anyhow::Result;
use serde::Deserialize;

use crate::measure::Plan;
use crate::peer::python;
use crate::report::{Bound, Cell, Findings, Table};
use crate::workload::game::GameDay;

const SCRIPT: &str = include_str!("../../../python/rollbacks.py");

/// What the script says of a game of one length.
#[derive(Debug, Deserialize)]
struct Outcome {
    entries: usize,
    original: Way,
    dalsegno: Way,
    held_bytes: u64,
}

/// Microseconds of CPU.
#[derive(Debug, Deserialize)]
struct Way {
    snapshot: f64,
    rollback: f64,
}

pub(super) fn through(plan: &Plan, lengths: &[usize], found: &mut Findings) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let input = folder.path().join("states.jsonl");
    let mut lines = File::create(&input)?;
    for &entries in lengths {
        let game = GameDay::of_length(plan.seed, entries);
        serde_json::to_writer(&lines, game.state())?;
        lines.write_all(b"\n")?;
    }
    let rounds = if plan.quick { "3" } else { "20" };
    let outcome: Vec<Outcome> =
        python::measured(SCRIPT, &[input.as_os_str(), rounds.as_ref()], "pydantic")?;
    let columns = ["snapshot, CPU", "times less", "rollback, CPU", "times less"];
    for one in outcome {
        let entries = one.entries;
        let title = format!("through Python, a game of {entries} entries");
        let mut table = Table::new("p5", title, &columns);
        table.note(format!(
            "pydantic models, each way in processes of its own; a turn is played before each snapshot and does not \
             count; the original's way is model_dump and copy.deepcopy; Dalsegno's ten snapshots hold {:.2} MB",
            one.held_bytes as f64 / 1e6
        ));
        let (old, new) = (&one.original, &one.dalsegno);
        for (name, way) in [("the original's way", old), ("dalsegno.claudmaster", new)] {
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
            for (what, times) in [
                ("snapshot", old.snapshot / new.snapshot),
                ("rollback", old.rollback / new.rollback),
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
