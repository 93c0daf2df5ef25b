//! P9: saving as the unchanged part grows ten times, and ten times again.

use anyhow::{Context, Result};
use bytes::Bytes;
use dalsegno::{Engine, Kind};

use super::Plan;
use super::cpu::spent;
use super::day::keep;
use super::forgetful::Forgetful;
use super::p2::{scan, sonic_scan};
use super::rounds::{Contest, Timing, median};
use crate::peer;
use crate::report::{Bound, Cell, Findings, Table};
use crate::workload::Document;
use crate::workload::chat::{ChatDay, ChatState, Message, of_length};

/// Exchanges that are added one by one, each with a save.
const EXCHANGES: usize = 3;

const SESSION: &str = "bench/1";

const ADDED: &str = "Dalsegno, one message added";
const SCALAR: &str = "Dalsegno, one scalar changed";
const SCANS: [&str; 2] = ["scan (serde_json) + BLAKE3", "scan (sonic-rs) + BLAKE3"];

/// A save may take this many times as long as one scan and BLAKE3.
const CPU: Bound = Bound::AtMost(1.3);

/// A record that does not grow with what stays: the numbers in it do, by a byte each.
const FLAT: Bound = Bound::AtMost(1.1);

/// One save against what it cannot do without, then what each contestant does.
pub fn run(plan: &Plan) -> Result<Findings> {
    let lengths: &[usize] = if plan.quick {
        &[500, 5_000]
    } else {
        &[500, 5_000, 50_000]
    };
    let mut found = Findings::default();
    one_save(plan, &mut found, lengths)?;
    found.tables.push(exchanges(plan, lengths)?);
    Ok(found)
}

fn columns(first: &str, lengths: &[usize], figures: &[&str]) -> Vec<String> {
    let mut columns = vec![first.to_owned()];
    for length in lengths {
        columns.extend(figures.iter().map(|figure| format!("{length}: {figure}")));
    }
    columns
}

/// A chat and what one save may find changed in it.
struct Chat {
    before: Bytes,
    added: Bytes,
    scalar: Bytes,
}

impl Chat {
    /// The message that is added is the same at all lengths.
    fn of(seed: u64, length: usize, message: Message) -> Self {
        let text = |state: &ChatState| Bytes::from(state.compact());
        let mut state = of_length(seed, length);
        let before = text(&state);
        state.updated_at += 61.5;
        let scalar = text(&state);
        state.messages.push(message);
        Self {
            before,
            added: text(&state),
            scalar,
        }
    }
}

/// Goes from one text to the other and back; only going there counts.
struct There<'a> {
    engine: Engine,
    from: &'a Bytes,
    to: &'a Bytes,
}

impl<'a> There<'a> {
    fn new(from: &'a Bytes, to: &'a Bytes) -> Self {
        let engine = Forgetful::engine();
        Self { engine, from, to }
    }

    fn save(&self, text: &Bytes) -> Result<u64> {
        let save = self.engine.save_json(SESSION, text.clone());
        Ok(save.kind(Kind::Auto).commit()?.stored_size)
    }
}

fn one_save(plan: &Plan, found: &mut Findings, lengths: &[usize]) -> Result<()> {
    let mut table = Table::new("p9", "one save of a chat, by its messages", &[]);
    table.columns = columns("work", lengths, &["record", "CPU"]);
    table.note(
        "the record as it is packed for its row, and the CPU of one save that is waited for, into a \
         store that keeps nothing; the scalar is the time of the last change, and it changes with \
         the message too",
    );
    let message = of_length(plan.seed, 2).messages.pop();
    let message = message.context("a chat has messages")?;
    let mut rows: Vec<(String, Vec<Cell>)> = Vec::new();
    let mut first: Option<[u64; 2]> = None;
    let mut last = [0; 2];
    for &length in lengths {
        let chat = Chat::of(plan.seed, length, message.clone());
        table.note(format!("{length} messages: {} bytes", chat.before.len()));
        let (sizes, timings) = contest(plan, &chat)?;
        last = sizes;
        first = first.or(Some(sizes));
        let time = |name: &str| cpu(&timings, name);
        let floor = SCANS
            .iter()
            .map(|scan| time(scan))
            .fold(f64::INFINITY, f64::min);
        for name in [ADDED, SCALAR] {
            let what = format!("CPU, {length} messages, {name}: of the fastest scan + BLAKE3");
            found.claim(
                "p9",
                what.replace("Dalsegno, ", ""),
                CPU,
                time(name) / floor,
            );
        }
        for (row, timing) in timings.iter().enumerate() {
            if rows.len() <= row {
                rows.push((timing.name.clone(), Vec::new()));
            }
            let size = sizes.get(row).map_or(Cell::None, |&size| Cell::Bytes(size));
            rows[row]
                .1
                .extend([size, Cell::Micros(timing.median.cpu_us)]);
        }
    }
    for (name, cells) in rows {
        table.row(name, cells);
    }
    found.tables.push(table);
    let first = first.unwrap_or(last);
    let lengths = (lengths.first().unwrap_or(&0), lengths.last().unwrap_or(&0));
    for (place, name) in ["one message added", "one scalar changed"]
        .iter()
        .enumerate()
    {
        let what = format!(
            "record, {name}: at {} messages of at {}",
            lengths.1, lengths.0
        );
        found.claim("p9", what, FLAT, last[place] as f64 / first[place] as f64);
    }
    Ok(())
}

fn cpu(timings: &[Timing], name: &str) -> f64 {
    let timing = timings.iter().find(|timing| timing.name == name);
    timing.map_or(f64::NAN, |timing| timing.median.cpu_us)
}

/// The sizes of the two records and the times of everything; the two saves come first.
fn contest(plan: &Plan, chat: &Chat) -> Result<([u64; 2], Vec<Timing>)> {
    let added = There::new(&chat.scalar, &chat.added);
    let scalar = There::new(&chat.before, &chat.scalar);
    let mut sizes = [0; 2];
    let mut contest = Contest::default();
    for ((name, there), size) in [(ADDED, &added), (SCALAR, &scalar)]
        .into_iter()
        .zip(&mut sizes)
    {
        contest.add_timed(name, 1, move || {
            there.save(there.from)?;
            let (stored, took) = spent(|| there.save(there.to))?;
            *size = stored;
            Ok(took)
        });
    }
    let text = &chat.added[..];
    contest.add(SCANS[0], 1, || {
        scan(text)?;
        Ok(blake3::hash(text))
    });
    contest.add(SCANS[1], 1, || {
        sonic_scan(text)?;
        Ok(blake3::hash(text))
    });
    contest.add("scan (serde_json)", 1, || scan(text));
    contest.add("scan (sonic-rs)", 1, || sonic_scan(text));
    contest.add("BLAKE3", 1, || Ok(blake3::hash(text)));
    let timings = contest.run(plan.rounds())?;
    Ok((sizes, timings))
}

fn exchanges(plan: &Plan, lengths: &[usize]) -> Result<Table> {
    let mut table = Table::new("p9", "saving one more exchange, by messages before", &[]);
    table.columns = columns("kept as", lengths, &["bytes", "CPU"]);
    table.note(format!(
        "bytes: the difference between a store after 1 + {EXCHANGES} saves and one after 1 save, \
         divided by {EXCHANGES} (SQLite grows by pages of 4,096 bytes); CPU: the median of the \
         {EXCHANGES} saves, writing included; each adds a question and its answer and changes the \
         counters"
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
            let cpu = median(&all.saves[1..]).cpu_us;
            if rows.len() <= row {
                rows.push((all.peer.name(), Vec::new()));
            }
            rows[row].1.extend([Cell::Bytes(more), Cell::Micros(cpu)]);
        }
    }
    for (name, cells) in rows {
        table.row(name, cells);
    }
    Ok(table)
}
