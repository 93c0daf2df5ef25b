//! P8: a chat's checkpoints through Python, against `langgraph-checkpoint-sqlite`.
//!
//! The script measures itself: `bench/python/checkpoints.py`.

use std::fs::File;
use std::io::{BufWriter, Write};

use anyhow::Result;
use serde::Deserialize;

use super::Plan;
use crate::peer::python;
use crate::report::{Bound, Cell, Findings, Table};
use crate::workload::Document;
use crate::workload::chat::ChatDay;

const SCRIPT: &str = include_str!("../../python/checkpoints.py");

/// The messages of the chat at the first checkpoint and after the last: 500 on average.
const MESSAGES: (usize, usize) = (356, 644);

/// What the script says.
#[derive(Debug, Deserialize)]
struct Outcome {
    langgraph: Way,
    dalsegno: Way,
    closing_ms: f64,
    submitted_ms: f64,
    text_bytes: u64,
}

/// One of the two ways: times of one durable save, and bytes of all files.
#[derive(Debug, Deserialize)]
struct Way {
    wall_ms: f64,
    mean_ms: f64,
    cpu_ms: f64,
    bytes: u64,
}

/// The same states to both, taking turns.
pub fn run(plan: &Plan) -> Result<Findings> {
    let saves = plan.saves();
    let folder = tempfile::tempdir()?;
    let input = folder.path().join("states.jsonl");
    let mut lines = BufWriter::new(File::create(&input)?);
    for state in ChatDay::with(plan.seed, MESSAGES.0, MESSAGES.1, saves) {
        lines.write_all(&state.compact())?;
        lines.write_all(b"\n")?;
    }
    lines.into_inner().map_err(|e| e.into_error())?;
    let arguments = [input.as_os_str(), folder.path().as_os_str()];
    let found: Outcome = python::measured(SCRIPT, &arguments, "langgraph-checkpoint-sqlite")?;
    Ok(report(&found, saves))
}

fn report(found: &Outcome, saves: usize) -> Findings {
    let columns = ["median", "mean", "CPU", "all files", "of the text"];
    let mut table = Table::new("p8", "a chat's checkpoints through Python", &columns);
    table.note(format!(
        "{saves} durable saves of a chat that grows from {} to {} messages, one message a save on average; compact \
         JSON text of all states: {:.1} MB; both get the same dicts and take turns; CPU of the whole process",
        MESSAGES.0,
        MESSAGES.1,
        found.text_bytes as f64 / 1e6
    ));
    table.note(format!(
        "closing Dalsegno's store, which packs it, took {:.1} ms; submitted one after the other and waited for at \
         the end, a save takes {:.3} ms",
        found.closing_ms, found.submitted_ms
    ));
    let ways = [
        (
            "langgraph-checkpoint-sqlite: SqliteSaver.put",
            &found.langgraph,
        ),
        ("Dalsegno: Engine.save", &found.dalsegno),
    ];
    for (name, way) in ways {
        let cells = [
            Cell::Micros(way.wall_ms * 1e3),
            Cell::Micros(way.mean_ms * 1e3),
            Cell::Micros(way.cpu_ms * 1e3),
            Cell::Bytes(way.bytes),
            Cell::Times(found.text_bytes as f64 / way.bytes as f64),
        ];
        table.row(name, cells);
    }
    let mut findings = Findings::default();
    let faster = found.langgraph.mean_ms / found.dalsegno.mean_ms;
    let smaller = found.langgraph.bytes as f64 / found.dalsegno.bytes as f64;
    let what = "than langgraph-checkpoint-sqlite, through Python";
    findings.claim(
        "p8",
        format!("a durable save, times faster {what}"),
        Bound::AtLeast(4.0),
        faster,
    );
    findings.claim(
        "p8",
        format!("all files, times smaller {what}"),
        Bound::AtLeast(200.0),
        smaller,
    );
    findings.tables.push(table);
    findings
}
