//! P9: saving as the unchanged part grows ten times, and ten times again.

use anyhow::Result;

use super::Plan;
use super::day::keep;
use super::p2::{scan, sonic_scan};
use super::rounds::Contest;
use crate::peer;
use crate::report::{Cell, Table};
use crate::workload::Document;
use crate::workload::chat::{ChatDay, of_length};

/// Exchanges that are added one by one, each with a save.
const EXCHANGES: usize = 3;

/// What a save cannot do without, then what each contestant does.
pub fn run(plan: &Plan) -> Result<Vec<Table>> {
    let lengths: &[usize] = if plan.quick {
        &[500, 5_000]
    } else {
        &[500, 5_000, 50_000]
    };
    Ok(vec![parts(plan, lengths)?, saves(plan, lengths)?])
}

fn columns(first: &str, lengths: &[usize], figures: &[&str]) -> Vec<String> {
    let mut columns = vec![first.to_owned()];
    for length in lengths {
        columns.extend(figures.iter().map(|figure| format!("{length}: {figure}")));
    }
    columns
}

fn parts(plan: &Plan, lengths: &[usize]) -> Result<Table> {
    let mut table = Table::new("p9", "a scan and a hash of a chat, by its messages", &[]);
    table.columns = columns("work", lengths, &["CPU"]);
    let mut rows: Vec<(String, Vec<Cell>)> = Vec::new();
    for &length in lengths {
        let text = of_length(plan.seed, length).compact();
        table.note(format!("{length} messages: {} bytes", text.len()));
        let mut contest = Contest::default();
        // The engine's save goes here.
        contest.add("scan (serde_json) + BLAKE3", || {
            scan(&text)?;
            Ok(blake3::hash(&text))
        });
        contest.add("scan (sonic-rs) + BLAKE3", || {
            sonic_scan(&text)?;
            Ok(blake3::hash(&text))
        });
        contest.add("scan (serde_json)", || scan(&text));
        contest.add("scan (sonic-rs)", || sonic_scan(&text));
        contest.add("BLAKE3", || Ok(blake3::hash(&text)));
        for (row, timing) in contest.run(plan.rounds(), 1)?.into_iter().enumerate() {
            if rows.len() <= row {
                rows.push((timing.name, Vec::new()));
            }
            rows[row].1.push(Cell::Micros(timing.median.cpu_us));
        }
    }
    for (name, cells) in rows {
        table.row(name, cells);
    }
    Ok(table)
}

fn saves(plan: &Plan, lengths: &[usize]) -> Result<Table> {
    let mut table = Table::new("p9", "saving one more exchange, by messages before", &[]);
    table.columns = columns("kept as", lengths, &["bytes", "CPU"]);
    table.note(format!(
        "the difference between a store after 1 + {EXCHANGES} saves and one after 1 save, divided \
         by {EXCHANGES}; each save adds a question and its answer and changes the counters"
    ));
    let mut rows: Vec<(String, Vec<Cell>)> = Vec::new();
    for &length in lengths {
        let end = length + 2 * EXCHANGES;
        let states = ChatDay::with(plan.seed, length, end, EXCHANGES + 1);
        let states: Vec<Vec<u8>> = states.map(|state| state.compact()).collect();
        for (row, contestant) in peer::in_process().iter().enumerate() {
            let first = keep(contestant, &states[..1], false)?;
            let all = keep(contestant, &states, false)?;
            let more = all.bytes.saturating_sub(first.bytes) / EXCHANGES as u64;
            let cpu = all.save.cpu_us * states.len() as f64 - first.save.cpu_us;
            if rows.len() <= row {
                rows.push((all.peer.name(), Vec::new()));
            }
            let cpu = (cpu / EXCHANGES as f64).max(0.0);
            rows[row].1.extend([Cell::Bytes(more), Cell::Micros(cpu)]);
        }
    }
    for (name, cells) in rows {
        table.row(name, cells);
    }
    Ok(table)
}
