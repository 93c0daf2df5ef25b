//! P1: bytes for a day of auto-saves.

use anyhow::Result;

use super::Plan;
use super::day::{Kept, Restores, keep, restores};
use crate::peer::{self, fastcdc, git};
use crate::report::{Cell, Table};
use crate::workload::chat::{self, ChatDay};
use crate::workload::game::{self, GameDay};
use crate::workload::queue::{self, QueueDay};
use crate::workload::quiet::{self, QuietDay};
use crate::workload::{Document, Layout};

const COLUMNS: [&str; 10] = [
    "kept as",
    "bytes",
    "less than full JSON",
    "than git gc",
    "than git gc --aggressive",
    "than FastCDC",
    "save, mean",
    "close / tidy",
    "restore newest",
    "restore worst",
];

/// The queue and the chat in both layouts, then the game and the quiet player.
pub fn run(plan: &Plan) -> Result<Vec<Table>> {
    let (seed, saves) = (plan.seed, plan.saves());
    let chat = || ChatDay::with(seed, 4, plan.messages(), saves);
    let mut tables = Vec::new();
    for layout in Layout::ALL {
        let states = QueueDay::with(seed, queue::TRACKS, saves);
        tables.push(day(plan, "200-track queue", queue::RATES, layout, states)?);
    }
    for layout in Layout::ALL {
        let title = format!("chat growing to {} messages", plan.messages());
        tables.push(day(plan, &title, chat::RATES, layout, chat())?);
    }
    let compact = Layout::Compact;
    let turns = if plan.quick { 30 } else { game::TURNS };
    let game = GameDay::with(seed, turns);
    tables.push(day(plan, "game", game::RATES, compact, game)?);
    for (title, scalar) in [
        ("unchanged player", false),
        ("player, one scalar changes", true),
    ] {
        let states = QuietDay::with(seed, scalar, saves);
        tables.push(day(plan, title, quiet::RATES, compact, states)?);
    }
    Ok(tables)
}

fn day<T: Document>(
    plan: &Plan,
    title: &str,
    rates: &str,
    layout: Layout,
    states: impl Iterator<Item = T>,
) -> Result<Table> {
    let states: Vec<Vec<u8>> = states.map(|state| state.text(layout)).collect();
    let mut kept = Vec::new();
    for contestant in peer::all() {
        kept.push(keep(&contestant, &states, true)?);
    }
    let times = restores(&mut kept, &states, plan.restore_rounds())?;

    let title = format!("a day of auto-saves, {title}, {}", layout.name());
    let mut table = Table::new("p1", title, &COLUMNS);
    table.note(rates);
    table.note(what_was_saved(&states)?);
    fill(&mut table, &states, &kept, &times);
    Ok(table)
}

fn fill(table: &mut Table, states: &[Vec<u8>], kept: &[Kept], times: &[Restores]) {
    let full: u64 = states.iter().map(|state| state.len() as u64).sum();
    let find = |key| kept.iter().find(|k| k.key == key);
    let git = |step: usize| Some(find(git::KEY)?.tidied.get(step)?.0.bytes);
    let chunks = find(fastcdc::KEY).map(|k| k.bytes);
    let less = |than: Option<u64>, bytes: u64| {
        than.map_or(Cell::None, |than| Cell::Times(than as f64 / bytes as f64))
    };
    for (one, time) in kept.iter().zip(times) {
        let sizes = |bytes| {
            [
                Cell::Bytes(bytes),
                less(Some(full), bytes),
                less(git(0), bytes),
                less(git(1), bytes),
                less(chunks, bytes),
            ]
        };
        let restores = [Cell::Micros(time.newest_us), Cell::Micros(time.worst_us)];
        let saves = [
            Cell::Micros(one.save.cpu_us),
            Cell::Micros(one.close.cpu_us),
        ];
        let mut rows = vec![(one.peer.name(), sizes(one.bytes), saves)];
        for (tidied, took) in &one.tidied {
            let took = [Cell::None, Cell::Micros(took.cpu_us)];
            rows.push((tidied.label.clone(), sizes(tidied.bytes), took));
        }
        // Restores are measured after the clean-up, so they stand in its last row.
        let last = rows.len() - 1;
        for (row, (name, sizes, times)) in rows.into_iter().enumerate() {
            let restores = if row == last {
                restores
            } else {
                [Cell::None; 2]
            };
            table.row(name, [&sizes[..], &times, &restores].concat());
        }
    }
}

/// Sizes of the states, and how well their text packs: a ratio means nothing without it.
fn what_was_saved(states: &[Vec<u8>]) -> Result<String> {
    let length = |state: Option<&Vec<u8>>| state.map_or(0, Vec::len);
    let last = states.last().map_or(&[][..], Vec::as_slice);
    let packed = zstd::bulk::compress(last, 3)?;
    Ok(format!(
        "{} saves; the first state has {} bytes, the last {}; zstd -3 packs the last state {:.2} \
         times",
        states.len(),
        length(states.first()),
        last.len(),
        last.len() as f64 / packed.len().max(1) as f64
    ))
}
