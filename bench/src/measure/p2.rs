//! P2: CPU to turn a document into its record.
//!
//! The floor is one `serde_json::to_vec` of the typed document. The engine saves all states of the
//! day in order, each on top of the one before, into a store that keeps nothing; validation, the
//! checksum and the record are included, writing it is not. Beside it stand the parts that a save
//! cannot do without.

use std::sync::Arc;

use anyhow::Result;
use bytes::Bytes;
use dalsegno::clock::SystemClock;
use dalsegno::store::MemoryStore;
use dalsegno::{Engine, Kind, Options, Ticket};
use serde::de::IgnoredAny;
use twox_hash::XxHash3_128;

use super::Plan;
use super::cpu::{Spent, spent};
use super::forgetful::Forgetful;
use super::rounds::{Contest, Timing};
use crate::report::{Bound, Cell, Findings, Table};
use crate::workload::chat::{self, ChatDay};
use crate::workload::queue::{self, QueueDay};
use crate::workload::shared::{Shared, SharedChat, SharedQueue};
use crate::workload::{Document, Layout};

/// How many saves are under way at once. Queueing a whole day of large texts costs page faults that
/// no program pays that saves as it goes; one at a time costs a change of threads each.
const GROUP: usize = 8;

const SESSION: &str = "bench/1";

const FLOOR: &str = "serde_json::to_vec (the floor)";
const FROM_TEXT: &str = "Dalsegno, from JSON text, 8 under way";
const FROM_VALUE: &str = "Dalsegno, from a Serialize value, 8 under way";
const FROM_SHARED: &str = "Dalsegno, from a session of shared lists, 8 under way";

/// The entries that are to be reached, as multiples of the floor.
const TARGETS: [(&str, f64); 3] = [(FROM_TEXT, 1.3), (FROM_VALUE, 2.3), (FROM_SHARED, 0.1)];

/// The states of a day and their texts.
struct States<T> {
    typed: Vec<T>,
    texts: Vec<Bytes>,
}

impl<T: Document> States<T> {
    fn of(states: impl Iterator<Item = T>, layout: Layout) -> Self {
        let typed: Vec<T> = states.collect();
        let texts = typed
            .iter()
            .map(|state| state.text(layout).into())
            .collect();
        Self { typed, texts }
    }

    fn len(&self) -> usize {
        self.texts.len()
    }
}

/// The queue and the chat, in both layouts.
pub fn run(plan: &Plan) -> Result<Findings> {
    let mut found = Findings::default();
    for layout in Layout::ALL {
        let days = QueueDay::with(plan.seed, queue::TRACKS, plan.saves());
        let states = States::of(days, layout);
        let title = format!("200-track queue, {}", layout.name());
        let timings = contest::<SharedQueue>(plan, layout, &states)?;
        report(plan, &mut found, &title, queue::RATES, &states, &timings);

        let days = ChatDay::with(plan.seed, 4, plan.messages(), plan.saves());
        let states = States::of(days, layout);
        let title = format!("growing chat, {}", layout.name());
        let timings = contest::<SharedChat>(plan, layout, &states)?;
        report(plan, &mut found, &title, chat::RATES, &states, &timings);
    }
    Ok(found)
}

fn contest<S: Shared>(plan: &Plan, layout: Layout, states: &States<S::State>) -> Result<Vec<Timing>>
where
    S::State: Document,
{
    let mut contest = Contest::default();
    let saves = states.len();
    contest.add(FLOOR, saves, || each(&states.typed, serde_json::to_vec));
    contest.add_timed(FROM_TEXT, saves, || {
        from_texts(&Forgetful::engine(), &states.texts, GROUP)
    });
    if layout == Layout::Compact {
        contest.add_timed(FROM_VALUE, saves, || from_values(&states.typed, GROUP));
        contest.add_timed(FROM_SHARED, saves, || from_shared::<S>(&states.typed, 0));
        contest.add_timed(
            "… without the day's first save, which builds on nothing",
            saves - 1,
            || from_shared::<S>(&states.typed, 1),
        );
        contest.add_timed("… of which building the document", saves, || {
            build_shared::<S>(&states.typed)
        });
    }
    contest.add_timed("Dalsegno, from JSON text, one at a time", saves, || {
        from_texts(&Forgetful::engine(), &states.texts, 1)
    });
    if layout == Layout::Compact {
        contest.add_timed(
            "Dalsegno, from a Serialize value, one at a time",
            saves,
            || from_values(&states.typed, 1),
        );
        contest.add_timed(
            "Dalsegno, from a Serialize value, all queued at once",
            saves,
            || from_values(&states.typed, saves),
        );
    }
    contest.add_timed(
        "Dalsegno, from JSON text, kept in memory, packed, closed",
        saves,
        || packed(&states.texts),
    );
    contest.add("XXH3-128 of the text", saves, || {
        each(&states.texts, |text| {
            Ok::<_, anyhow::Error>(XxHash3_128::oneshot(text))
        })
    });
    contest.add("BLAKE3 of the text", saves, || {
        each(&states.texts, |text| {
            Ok::<_, anyhow::Error>(blake3::hash(text))
        })
    });
    contest.add("scan: UTF-8 check + serde_json IgnoredAny", saves, || {
        each(&states.texts, |text| {
            simdutf8::basic::from_utf8(text)?;
            scan(text)
        })
    });
    contest.add("scan: sonic-rs IgnoredAny", saves, || {
        each(&states.texts, |text| sonic_scan(text))
    });
    contest.add("serde_json::to_vec_pretty", saves, || {
        each(&states.typed, serde_json::to_vec_pretty)
    });
    contest.add("clone of the typed document", saves, || {
        each(&states.typed, |state| Ok::<_, anyhow::Error>(state.clone()))
    });
    contest.run(plan.rounds())
}

fn each<T, R, E: Into<anyhow::Error>>(
    states: &[T],
    mut work: impl FnMut(&T) -> Result<R, E>,
) -> Result<()> {
    for state in states {
        let outcome = work(std::hint::black_box(state)).map_err(Into::into)?;
        std::hint::black_box(outcome);
    }
    Ok(())
}

/// Has `save` make the saves from `from` to `to`, `group` under way at a time, and waits for them.
fn saves(
    from: usize,
    to: usize,
    group: usize,
    mut save: impl FnMut(usize) -> Result<Ticket>,
) -> Result<Spent> {
    let mut taken = Vec::new();
    for first in (from..to).step_by(group.max(1)) {
        let ((), took) = spent(|| {
            let tickets: Vec<Ticket> = (first..to)
                .take(group)
                .map(&mut save)
                .collect::<Result<_>>()?;
            tickets.into_iter().try_for_each(waited)
        })?;
        taken.push(took);
    }
    Ok(taken.into_iter().sum())
}

fn waited(ticket: Ticket) -> Result<()> {
    std::hint::black_box(ticket.wait()?);
    Ok(())
}

fn from_texts(engine: &Engine, texts: &[Bytes], group: usize) -> Result<Spent> {
    saves(0, texts.len(), group, |index| {
        let save = engine.save_json(SESSION, texts[index].clone());
        Ok(save.kind(Kind::Auto).submit())
    })
}

fn from_values<T: Document>(states: &[T], group: usize) -> Result<Spent> {
    let engine = Forgetful::engine();
    saves(0, states.len(), group, |index| {
        let save = engine.save(SESSION, &states[index]);
        Ok(save.kind(Kind::Auto).submit())
    })
}

/// The edits that lead from state to state are the program's and do not count; the first saves, up
/// to `skip`, do not either.
fn from_shared<S: Shared>(states: &[S::State], skip: usize) -> Result<Spent> {
    let engine = Forgetful::engine();
    let mut taken = Vec::new();
    let mut session = states.first().map(S::new);
    let mut saved = 0;
    while saved < states.len() {
        let group = if saved < skip { skip - saved } else { GROUP };
        let snapshots = follow(&mut session, states, saved, group);
        let took = saves(0, snapshots.len(), group, |index| {
            let document = snapshots[index].document()?;
            Ok(engine
                .save_document(SESSION, document)
                .kind(Kind::Auto)
                .submit())
        })?;
        if saved >= skip {
            taken.push(took);
        }
        saved += snapshots.len();
    }
    Ok(taken.into_iter().sum())
}

fn build_shared<S: Shared>(states: &[S::State]) -> Result<Spent> {
    let mut taken = Vec::new();
    let mut session = states.first().map(S::new);
    for first in (0..states.len()).step_by(GROUP) {
        let snapshots = follow(&mut session, states, first, GROUP);
        let ((), took) = spent(|| each(&snapshots, S::document))?;
        taken.push(took);
    }
    Ok(taken.into_iter().sum())
}

/// The session as it is in each of the next states.
fn follow<S: Shared>(
    session: &mut Option<S>,
    states: &[S::State],
    first: usize,
    count: usize,
) -> Vec<S> {
    let next = states.iter().skip(first).take(count);
    next.filter_map(|state| {
        session.as_mut()?.follow(state);
        session.clone()
    })
    .collect()
}

/// A store in memory that keeps what is saved, which the writer packs into blocks in between and on
/// closing.
fn packed(texts: &[Bytes]) -> Result<Spent> {
    let engine = Options::default().on(Arc::new(MemoryStore::new(&SystemClock)));
    let day = from_texts(&engine, texts, GROUP)?;
    let (_, close) = spent(|| Ok(engine.close()?))?;
    Ok([day, close].into_iter().sum())
}

/// A scan that accepts exactly what `serde_json` does, UTF-8 inside of texts left aside.
pub fn scan(text: &[u8]) -> Result<()> {
    serde_json::from_slice::<IgnoredAny>(text)?;
    Ok(())
}

/// The same by `sonic-rs`.
pub fn sonic_scan(text: &[u8]) -> Result<()> {
    sonic_rs::from_slice::<IgnoredAny>(text)?;
    Ok(())
}

fn report<T>(
    plan: &Plan,
    found: &mut Findings,
    title: &str,
    rates: &str,
    states: &States<T>,
    timings: &[Timing],
) {
    let count = states.texts.len().max(1);
    let bytes = states.texts.iter().map(Bytes::len).sum::<usize>() / count;
    let columns = ["work", "CPU", "of to_vec", "bytes a µs"];
    let mut table = Table::new("p2", format!("from document to record, {title}"), &columns);
    table.note(rates);
    table.note(format!(
        "all {count} states of the day in order, {bytes} bytes on average; medians of {} \
         interleaved rounds",
        plan.rounds()
    ));
    let floor = timings.first().map_or(1.0, |t| t.median.cpu_us);
    for timing in timings {
        let cpu = timing.median.cpu_us;
        let cells = [
            Cell::Micros(cpu),
            Cell::Times(cpu / floor),
            Cell::Count(bytes as f64 / cpu),
        ];
        table.row(timing.name.as_str(), cells);
        for (name, most) in TARGETS.iter().filter(|(name, _)| *name == timing.name) {
            let name = name.trim_start_matches("Dalsegno, ");
            let what = format!("CPU of a save, {title}: {name}, of serde_json::to_vec");
            found.claim("p2", what, Bound::AtMost(*most), cpu / floor);
        }
    }
    found.tables.push(table);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_scans_refuse_what_is_not_json() {
        for wrong in [
            "[1,,2]",
            "{\"a\":[1 2]}",
            "{\"a\":tru}",
            "[\"\n\"]",
            "[1]]",
            "[01]",
        ] {
            assert!(scan(wrong.as_bytes()).is_err(), "{wrong}");
            assert!(sonic_scan(wrong.as_bytes()).is_err(), "{wrong}");
        }
        assert!(scan(b"{\"a\": [1, 2.5e3, null]}").is_ok());
        assert!(sonic_scan(b"{\"a\": [1, 2.5e3, null]}").is_ok());
    }

    #[test]
    fn every_state_is_saved_once_in_order() {
        for group in [1, 3, 20] {
            let mut seen = Vec::new();
            let engine = Forgetful::engine();
            let saved = saves(2, 9, group, |index| {
                seen.push(index);
                Ok(engine.save_json(SESSION, format!("[{index}]")).submit())
            });
            assert!(saved.expect("saves").cpu_us > 0.0);
            assert_eq!(seen, (2..9).collect::<Vec<_>>());
        }
    }
}
