//! Committing one record per session, against a plain log.

use std::fs;
use std::path::Path;

use anyhow::Result;

use super::Plan;
use crate::measure::cpu::{Spent, spent};
use crate::measure::rounds::median;
use crate::peer::tick::{self, TickStore};
use crate::report::{Bound, Cell, Findings, Table};
use crate::workload::random::Dice;

/// The record size that earlier figures were made with.
const RECORD: usize = 350;

/// A session's first record has a whole state; what ticks are like shows afterwards.
const WARM_UP: u64 = 3;

/// Commits records of the sizes that a tick yields, and of a fixed size.
pub(super) fn run(plan: &Plan, found: &mut Findings, sizes: &[usize]) -> Result<()> {
    let sessions = plan.sessions();
    let mean = sizes.iter().sum::<usize>() / sizes.len().max(1);
    let real = format!("the tick workload's own records ({mean} bytes on average)");
    commits(plan, found, &real, sizes)?;
    let fixed = vec![RECORD; sessions];
    commits(plan, found, &format!("records of {RECORD} bytes"), &fixed)
}

fn commits(plan: &Plan, found: &mut Findings, what: &str, sizes: &[usize]) -> Result<()> {
    let ticks = if plan.quick { 5 } else { 60 };
    let folder = tempfile::tempdir()?;
    let mut stores: Vec<Box<dyn TickStore>> = Vec::new();
    for (name, make) in [
        ("log", tick::plain_log as fn(&Path) -> _),
        ("rows", tick::plain_log_of_rows),
        ("dalsegno", tick::dalsegno),
        ("sqlite", tick::straightforward_sqlite),
    ] {
        let own = folder.path().join(name);
        fs::create_dir(&own)?;
        stores.push(make(&own)?);
    }
    let mut commits: Vec<Vec<Spent>> = vec![Vec::new(); stores.len()];
    let mut later = vec![0.0; stores.len()];
    let mut dice = Dice::new(plan.seed, "tick records");
    for tick in 0..WARM_UP + ticks {
        let records: Vec<Vec<u8>> = sizes.iter().map(|&size| record(&mut dice, size)).collect();
        for (place, store) in stores.iter_mut().enumerate() {
            store.prepare(tick, &records)?;
            let ((), took) = spent(|| store.commit(tick, &records))?;
            let ((), tidied) = spent(|| store.tidy())?;
            if tick >= WARM_UP {
                commits[place].push(took);
                later[place] += tidied.wall_us / ticks as f64;
            }
        }
    }

    let columns = [
        "store",
        "commit by the clock",
        "of the log",
        "CPU",
        "left for later, mean by the clock",
        "file, of the records",
    ];
    let title = format!("{} sessions in one durable commit, {what}", sizes.len());
    let mut table = Table::new("p3", title, &columns);
    table.note(format!(
        "{ticks} ticks after {WARM_UP} to warm up, medians; the stores take turns; records do not \
         compress"
    ));
    let raw = sizes.iter().sum::<usize>() as f64 * (WARM_UP + ticks) as f64;
    let walls: Vec<f64> = commits.iter().map(|taken| median(taken).wall_us).collect();
    for (place, store) in stores.into_iter().enumerate() {
        let name = store.name();
        let bytes = store.finish()?;
        let cells = [
            Cell::Micros(walls[place]),
            Cell::Times(walls[place] / walls[0]),
            Cell::Micros(median(&commits[place]).cpu_us),
            Cell::Micros(later[place]),
            Cell::Times(bytes as f64 / raw),
        ];
        table.row(name, cells);
    }
    found.tables.push(table);
    let what = format!("durable commit by the clock, {what}");
    let target = Bound::AtMost(4.0);
    for (other, log) in [
        ("a plain log of the records", walls[0]),
        ("a plain log of records and rows", walls[1]),
    ] {
        found.claim("p3", format!("{what}: of {other}"), target, walls[2] / log);
    }
    Ok(())
}

/// Bytes as compressed ones are: without any pattern.
fn record(dice: &mut Dice, size: usize) -> Vec<u8> {
    let mut record = Vec::with_capacity(size + 8);
    while record.len() < size {
        record.extend(dice.between(0, u64::MAX).to_le_bytes());
    }
    record.truncate(size);
    record
}
