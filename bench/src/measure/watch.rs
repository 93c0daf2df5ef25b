//! A folder of session files that many writers change: what a watch of it costs, and whether it has every state that
//! stood still.

mod folder;
pub mod watcher;

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use dalsegno::{Engine, Query};

use super::Plan;
use super::cpu::spent;
use crate::report::{Bound, Cell, Findings, Table};
use folder::{Folder, Written};
use watcher::{SETTLE, Watcher};

/// Memory that the watcher stays below: twice what the engine keeps of newest states.
const MEMORY: f64 = 512.0 * (1 << 20) as f64;

/// What is done to the folder.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) files: usize,
    pub(crate) writers: usize,
    pub(crate) time: Duration,
    /// Changes a second, of all writers.
    pub(crate) rate: usize,
}

impl Load {
    const FULL: Self = Self {
        files: 2_000,
        writers: 50,
        time: Duration::from_secs(60),
        rate: 200,
    };
    const QUICK: Self = Self {
        files: 100,
        writers: 5,
        time: Duration::from_secs(6),
        rate: 20,
    };
}

/// One load, watched by a process of its own.
pub fn run(plan: &Plan) -> Result<Findings> {
    let load = if plan.quick { Load::QUICK } else { Load::FULL };
    measure(plan.seed, load)
}

fn measure(seed: u64, load: Load) -> Result<Findings> {
    let place = tempfile::tempdir()?;
    let store = place.path().join("store.db");
    Engine::create(&store)?.close()?;
    let folder = Folder::fill(place.path(), seed, load)?;

    let mut watcher = Watcher::start(&store, folder.path())?;
    let first = watcher.began()?;
    let written = folder.write(load)?;
    let minute = watcher.end()?;
    let copied = copies(&folder, place.path())?;

    let kept = kept(&store)?;
    let still: Vec<&Written> = written.iter().filter(|it| it.stood > SETTLE).collect();
    let missed = still
        .iter()
        .filter(|it| !kept.contains_key(&it.key()))
        .count();
    ensure!(!still.is_empty(), "no state stood still");

    let mut found = Findings::default();
    let mut table = Table::new(
        "watch",
        format!(
            "{} files of {} kB, {} writers for {} s",
            load.files,
            folder.bytes() / 1_000 / load.files as u64,
            load.writers,
            load.time.as_secs()
        ),
        &["what", "times", "CPU each", "of copying", "memory"],
    );
    let shortest = still.iter().map(|it| it.stood).min().unwrap_or_default();
    table.note(format!(
        "{} changes, of which {} stood still for longer than the settle time ({} ms; the shortest for {} ms); {} of them \
         are missing; the others were replaced sooner, and are kept where they were seen",
        written.len(),
        still.len(),
        SETTLE.as_millis(),
        shortest.as_millis(),
        missed,
    ));
    table.note(
        "a change is a message appended to the chat, in place or by renaming; copying is reading, writing and syncing \
         such a file; memory is the peak of the watcher's process, which does nothing else",
    );
    let each = |cpu: f64, times: u64| cpu / times.max(1) as f64;
    let copy = each(copied.cpu_us, load.files as u64);
    let mut row = |name: &str, times: u64, cpu: f64, memory: Option<u64>| {
        let each = each(cpu, times);
        table.row(
            name,
            [
                Cell::Count(times as f64),
                Cell::Micros(each),
                Cell::Times(each / copy),
                memory.map_or(Cell::None, Cell::Bytes),
            ],
        );
    };
    row(
        "the first sight of a file",
        first.saved,
        first.cpu_us,
        Some(first.peak),
    );
    row(
        "a change that was kept",
        minute.saved,
        minute.cpu_us,
        Some(minute.peak),
    );
    row("copying a file", load.files as u64, copied.cpu_us, None);
    table.note(format!(
        "the store has {} bytes, the files {}",
        fs::metadata(&store)?.len(),
        folder.bytes()
    ));
    found.tables.push(table);
    found.claim(
        "watch",
        "states that stood still for longer than the settle time: kept",
        Bound::AtLeast(1.0),
        (still.len() - missed) as f64 / still.len() as f64,
    );
    let peak = first.peak.max(minute.peak) as f64;
    found.claim(
        "watch",
        "memory: of 512 MiB",
        Bound::AtMost(1.0),
        peak / MEMORY,
    );
    Ok(found)
}

/// Reads, writes and syncs each file once, as a copy for safety would.
fn copies(folder: &Folder, place: &Path) -> Result<super::cpu::Spent> {
    let copy = place.join("copy");
    let (_, copied) = spent(|| {
        for path in folder.files() {
            let text = fs::read(path)?;
            let mut file = fs::File::create(&copy)?;
            std::io::Write::write_all(&mut file, &text)?;
            file.sync_all()?;
        }
        Ok(())
    })?;
    Ok(copied)
}

/// Which states the store has: of which session, with which checksum.
fn kept(store: &Path) -> Result<HashMap<(String, String), usize>> {
    let engine = Engine::open(store)?;
    let mut kept = HashMap::new();
    for session in engine.sessions()? {
        let mut query = Query::session(&session);
        query.limit = 100_000;
        for snapshot in engine.list(&query)?.snapshots {
            *kept
                .entry((session.clone(), snapshot.checksum))
                .or_default() += 1;
        }
        // What it has can be had: the newest of each, all of it proved.
        engine
            .restore(&format!("{session}@latest"))
            .with_context(|| session.clone())?;
    }
    Ok(kept)
}
