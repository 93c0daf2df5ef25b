//! `retention`: a year of snapshots thinned in one run.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use anyhow::{Result, ensure};
use dalsegno::clock::{Clock, SystemClock};
use dalsegno::retention::Rules;
use dalsegno::{Cleanup, Engine, Kind, Options, Ticket};
use jiff::Timestamp;
use tempfile::TempDir;

use super::Plan;
use super::cpu::{Spent, spent};
use super::memory;
use crate::peer::files::bytes_below;
use crate::report::{Bound, Cell, Findings, Table};
use crate::workload::Document;
use crate::workload::queue::{self, QueueDay};

const SESSION: &str = "bench/1";

/// Every five minutes.
const INTERVAL: i64 = 300;

/// 2025-11-20T00:00:00Z.
const BEGIN: i64 = 1_763_596_800;

/// Saves that are under way at once.
const UNDER_WAY: usize = 64;

/// Thins a year (of a quick run, a month), and looks at what is left.
pub fn run(plan: &Plan) -> Result<Findings> {
    let saves = if plan.quick { 30 * 288 } else { 365 * 288 };
    let mut table = Table::new(
        "retention",
        format!("{saves} snapshots, thinned in one run"),
        &["step", "by the clock", "CPU", "snapshots", "bytes in files"],
    );
    table.note(queue::RATES);
    table.note(
        "saved every 5 minutes; kept are the newest 288 states, the last of each of 48 hours, 30 days, 12 \
         weeks and 12 months; every survivor is compared with the state that was saved, byte for byte, and \
         the store is verified",
    );
    let year = Year::saved(plan.seed, saves, &mut table)?;
    let (engine, ids) = (&year.engine, &year.ids);
    let rules = Rules::new()
        .keep_last(288)
        .keep_hourly(48)
        .keep_daily(30)
        .keep_weekly(12)
        .keep_monthly(12);
    let cleanup = Cleanup {
        rules: Some(rules),
        purge: true,
        ..Cleanup::default()
    };
    memory::reset_peak();
    let (decided, took) = spent(|| Ok(engine.cleanup_plan(&cleanup)?))?;
    year.row(
        &mut table,
        "planned, with what it frees",
        took,
        saves as u64,
    )?;
    let (_, thinned) = spent(|| Ok(engine.cleanup(&decided, &mut |_| {})?))?;
    year.row(&mut table, "thinned and purged", thinned, decided.kept)?;
    if let Some(peak) = memory::peak() {
        table.note(format!("peak memory of both: {:.0} MB", peak as f64 / 1e6));
    }
    let after = bytes_below(year.folder.path())?;
    let (verified, took) = spent(|| Ok(engine.verify(None)?))?;
    ensure!(verified.is_intact(), "{:?}", verified.damage);
    year.row(&mut table, "verified", took, decided.kept)?;

    let kept = decided.sessions.iter().flat_map(|s| &s.snapshots);
    let kept: HashMap<_, ()> = kept.filter(|s| s.keep).map(|s| (s.id, ())).collect();
    let fresh = Year::empty()?;
    let mut compared = 0;
    for (state, id) in QueueDay::with(plan.seed, queue::TRACKS, saves).zip(ids) {
        if kept.contains_key(id) {
            let text = state.compact();
            ensure!(
                engine.restore(&id.to_string())?.text() == text,
                "{id} differs"
            );
            fresh.engine.save_json(SESSION, text).commit()?;
            compared += 1;
        }
    }
    ensure!(compared == decided.kept, "{compared} of {}", decided.kept);
    fresh.engine.close()?;
    let floor = bytes_below(fresh.folder.path())?;
    table.row(
        "for comparison: only the survivors ever saved",
        [
            Cell::None,
            Cell::None,
            Cell::Count(compared as f64),
            Cell::Bytes(floor),
        ],
    );
    let mut found = Findings::default();
    let what = "file afterwards: of a store that only ever had the survivors";
    found.claim(
        "retention",
        what,
        Bound::AtMost(1.5),
        after as f64 / floor as f64,
    );
    found.tables.push(table);
    Ok(found)
}

/// A session's history.
struct Year {
    engine: Engine,
    clock: Arc<Calendar>,
    folder: TempDir,
    ids: Vec<dalsegno::SnapshotId>,
}

impl Year {
    fn empty() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let clock = Arc::new(Calendar(AtomicI64::new(BEGIN)));
        let engine = Options::default()
            .clock(Arc::clone(&clock) as _)
            .create(folder.path())?;
        Ok(Self {
            engine,
            clock,
            folder,
            ids: Vec::new(),
        })
    }

    fn saved(seed: u64, saves: usize, table: &mut Table) -> Result<Self> {
        let mut year = Self::empty()?;
        let mut days = QueueDay::with(seed, queue::TRACKS, saves);
        let (ids, took) = spent(|| {
            let mut ids = Vec::with_capacity(saves);
            loop {
                let mut tickets: Vec<Ticket> = Vec::with_capacity(UNDER_WAY);
                for state in days.by_ref().take(UNDER_WAY) {
                    year.clock.0.fetch_add(INTERVAL, Ordering::Relaxed);
                    let save = year.engine.save_json(SESSION, state.compact());
                    tickets.push(save.kind(Kind::Auto).submit());
                }
                if tickets.is_empty() {
                    return Ok(ids);
                }
                for ticket in tickets {
                    ids.push(ticket.wait()?.id);
                }
            }
        })?;
        year.ids = ids;
        year.row(table, "generated and saved", took, saves as u64)?;
        Ok(year)
    }

    fn row(&self, table: &mut Table, step: &str, took: Spent, snapshots: u64) -> Result<()> {
        table.row(
            step,
            [
                Cell::Micros(took.wall_us),
                Cell::Micros(took.cpu_us),
                Cell::Count(snapshots as f64),
                Cell::Bytes(bytes_below(self.folder.path())?),
            ],
        );
        Ok(())
    }
}

/// The time that the workload says it is.
struct Calendar(AtomicI64);

impl Clock for Calendar {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::Relaxed)).unwrap_or(Timestamp::MAX)
    }

    fn random(&self) -> [u8; 16] {
        SystemClock.random()
    }
}
