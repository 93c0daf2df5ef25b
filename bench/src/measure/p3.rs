//! P3: ten thousand sessions in one durable tick.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::Plan;
use super::cpu::{Spent, spent};
use super::rounds::median;
use crate::peer::python::{self, Style};
use crate::peer::tick::{self, TickStore};
use crate::report::{Cell, Table};
use crate::workload::Document;
use crate::workload::random::Dice;
use crate::workload::tick::{RATES, TickSessions};

/// The size of a record that holds one step of a small player.
const RECORD: usize = 350;

/// Different states that Python and Rust write in turn; all are as long as a session's.
const DIFFERENT: usize = 500;

/// Commits of records, then whole states a second.
pub fn run(plan: &Plan) -> Result<Vec<Table>> {
    Ok(vec![commits(plan)?, rates(plan)?])
}

fn commits(plan: &Plan) -> Result<Table> {
    let (sessions, ticks) = (plan.sessions(), if plan.quick { 5 } else { 60 });
    let folder = tempfile::tempdir()?;
    let mut stores: Vec<Box<dyn TickStore>> = Vec::new();
    // The engine's store goes here, with its own records of the same sessions.
    for (name, make) in [
        ("log", tick::plain_log as fn(&Path) -> _),
        ("sqlite", tick::straightforward_sqlite),
    ] {
        let own = folder.path().join(name);
        fs::create_dir(&own)?;
        stores.push(make(&own)?);
    }
    let mut taken: Vec<Vec<Spent>> = vec![Vec::new(); stores.len()];
    let mut dice = Dice::new(plan.seed, "tick records");
    for tick in 0..ticks {
        let records: Vec<Vec<u8>> = (0..sessions).map(|_| record(&mut dice)).collect();
        for (store, taken) in stores.iter_mut().zip(&mut taken) {
            let ((), took) = spent(|| store.commit(tick, &records))?;
            taken.push(took);
        }
    }

    let columns = [
        "store",
        "commit by the clock",
        "of the log",
        "CPU",
        "file, of the records",
    ];
    let title = format!("{sessions} records of {RECORD} bytes in one durable commit");
    let mut table = Table::new("p3", title, &columns);
    table.note(format!(
        "{ticks} ticks, medians; the stores take turns; records do not compress"
    ));
    let raw = (sessions * RECORD) as f64 * ticks as f64;
    let floor = taken.first().map_or(1.0, |t| median(t).wall_us);
    for (store, taken) in stores.into_iter().zip(&taken) {
        let (name, time) = (store.name(), median(taken));
        let bytes = store.finish()?;
        let cells = [
            Cell::Micros(time.wall_us),
            Cell::Times(time.wall_us / floor),
            Cell::Micros(time.cpu_us),
            Cell::Times(bytes as f64 / raw),
        ];
        table.row(name, cells);
    }
    Ok(table)
}

/// Bytes as compressed ones are: without any pattern.
fn record(dice: &mut Dice) -> Vec<u8> {
    let mut record = Vec::with_capacity(RECORD + 8);
    while record.len() < RECORD {
        record.extend(dice.between(0, u64::MAX).to_le_bytes());
    }
    record.truncate(RECORD);
    record
}

/// One way's tick: snapshots, seconds by the clock and of CPU, bytes.
#[derive(Debug, Clone, Copy)]
struct Rate {
    sessions: f64,
    spent: Spent,
    bytes: u64,
}

fn rates(plan: &Plan) -> Result<Table> {
    let sessions = plan.sessions();
    let ticks = TickSessions::new(plan.seed, DIFFERENT.min(sessions));
    let mut taken: HashMap<&str, Vec<Rate>> = HashMap::new();
    let mut order = Vec::new();
    for round in 0..plan.few_rounds() {
        let mut note = |name: &'static str, rate| {
            if round == 0 {
                order.push(name);
            }
            taken.entry(name).or_default().push(rate);
        };
        // The engine's row goes here: all sessions' states in one `save_all`.
        note("Rust to_vec + write", rust_files(&ticks, sessions)?);
        for style in Style::ALL {
            note(style.name(), python_files(&ticks, sessions, style)?);
        }
    }

    let columns = [
        "way",
        "snapshots/s",
        "of Python's",
        "snapshots per CPU second",
        "bytes",
    ];
    let mut table = Table::new("p3", format!("{sessions} whole sessions a tick"), &columns);
    table.note(RATES);
    table.note(format!(
        "medians of {} rounds; {} different states stand for all",
        plan.few_rounds(),
        ticks.len()
    ));
    let middle = |name: &str| {
        let rates = taken.get(name).context("no rounds were run")?;
        let times: Vec<Spent> = rates.iter().map(|r| r.spent).collect();
        let first = rates.first().context("no rounds were run")?;
        Ok::<_, anyhow::Error>(Rate {
            spent: median(&times),
            ..*first
        })
    };
    let per_second = |rate: &Rate| rate.sessions / rate.spent.wall_us * 1e6;
    let python = per_second(&middle(Style::Plain.name())?);
    for name in order {
        let rate = middle(name)?;
        let cells = [
            Cell::Count(per_second(&rate)),
            Cell::Times(per_second(&rate) / python),
            Cell::Count(rate.sessions / rate.spent.cpu_us * 1e6),
            Cell::Bytes(rate.bytes),
        ];
        table.row(name, cells);
    }
    Ok(table)
}

fn rust_files(ticks: &TickSessions, sessions: usize) -> Result<Rate> {
    let folder = tempfile::tempdir()?;
    let states: Vec<_> = ticks.states(0).collect();
    let (bytes, spent) = spent(|| {
        let mut bytes = 0;
        for (index, state) in states.iter().cycle().take(sessions).enumerate() {
            let text = serde_json::to_vec(state)?;
            fs::write(folder.path().join(format!("{index:06}.json")), &text)?;
            bytes += text.len() as u64;
        }
        Ok(bytes)
    })?;
    Ok(Rate {
        sessions: sessions as f64,
        spent,
        bytes,
    })
}

fn python_files(ticks: &TickSessions, sessions: usize, style: Style) -> Result<Rate> {
    let folder = tempfile::tempdir()?;
    let states = ticks.states(0).map(|state| state.compact());
    let measured = python::dump(folder.path(), states, sessions, style)?;
    Ok(Rate {
        sessions: measured.sessions as f64,
        spent: Spent {
            cpu_us: measured.cpu_s * 1e6,
            wall_us: measured.wall_s * 1e6,
        },
        bytes: measured.bytes,
    })
}
