//! How long a save keeps the program's own thread while the disk is slow: microseconds, whatever the disk does.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use dalsegno::clock::SystemClock;
use dalsegno::store::faulty::{Call, FaultyStore};
use dalsegno::store::{SqliteOptions, SqliteStore, Store};
use dalsegno::{AutoSaving, Engine, Options, State, Ticket};
use nix::sys::resource::{UsageWho, getrusage};

use super::Plan;
use crate::report::{Bound, Cell, Findings, Table};
use crate::workload::Document;
use crate::workload::chat::{ChatState, of_length};

/// What every sync takes.
const SYNC: Duration = Duration::from_millis(500);

/// Between two calls: many come while the disk is at work on one.
const BETWEEN: Duration = Duration::from_millis(5);

/// Messages of the chat that is saved: some 360 kB.
const MESSAGES: usize = 330;

const CONTROL: &str = "nothing, for comparison";
const SERIALISED: &str = "serde_json::to_vec(&value), for comparison";

/// Calls of each kind, one after the other, beside a disk that is always at work.
pub fn run(plan: &Plan) -> Result<Findings> {
    let mut found = Findings::default();
    let calls = if plan.quick { 200 } else { 2_000 };
    let chat = of_length(plan.seed, MESSAGES);
    let mut table = Table::new(
        "pause",
        "the longest pause of the program's own thread in a save that is not waited for",
        &["call", "calls", "median", "99 of 100", "longest", "waited"],
    );
    table.note(format!(
        "a store on a disk where each sync takes {} ms; a chat of {} bytes; by the clock; `waited`: calls in which the \
         thread gave the processor up",
        SYNC.as_millis(),
        chat.compact().len(),
    ));
    let mut add = |name: &str, pauses: &Pauses, target: bool| {
        let longest = pauses.at(1.0);
        table.row(
            name,
            [
                Cell::Count(pauses.times.len() as f64),
                Cell::Micros(pauses.at(0.5)),
                Cell::Micros(pauses.at(0.99)),
                Cell::Micros(longest),
                Cell::Count(pauses.waited as f64),
            ],
        );
        if target {
            let what = format!(
                "longest pause of the caller, a disk with syncs of 500 ms, {name}: of 1 ms"
            );
            found.claim("pause", what, Bound::AtMost(1.0), longest / 1e3);
        }
    };
    add(CONTROL, &nothing(calls)?, false);
    add("save_json(…).submit()", &text(calls, &chat)?, true);
    let (touch, lock) = by_itself(calls, &chat)?;
    add("auto-save: touch", &touch, true);
    add("auto-save: the lock that its provider takes", &lock, true);
    let (plain, value) = (serialised(calls, &chat)?, value(calls, &chat)?);
    add(SERIALISED, &plain, false);
    add("save(&value).submit()", &value, false);
    add(
        "save_json(…).commit(), which waits",
        &waiting(&chat)?,
        false,
    );
    found.claim(
        "pause",
        "median pause of save(&value).submit(): of serde_json::to_vec of the value",
        Bound::AtMost(1.3),
        value.at(0.5) / plain.at(0.5),
    );
    found.tables.push(table);
    Ok(found)
}

/// How long calls took, in µs.
#[derive(Default)]
struct Pauses {
    times: Vec<f64>,
    waited: i64,
}

impl Pauses {
    /// Does the call and remembers how long it took.
    fn time<T>(&mut self, call: impl FnOnce() -> T) -> Result<T> {
        let waits = waits()?;
        let began = Instant::now();
        let answer = call();
        self.times.push(began.elapsed().as_secs_f64() * 1e6);
        self.waited += waits_since(waits)?;
        Ok(answer)
    }

    /// The time that this part of the calls stays below.
    fn at(&self, part: f64) -> f64 {
        let mut times = self.times.clone();
        times.sort_unstable_by(f64::total_cmp);
        let last = times.len().saturating_sub(1);
        let place = (last as f64 * part).round() as usize;
        times.get(place).copied().unwrap_or(f64::NAN)
    }
}

/// How often this thread has given up the processor, because it had to wait for something.
fn waits() -> Result<i64> {
    Ok(getrusage(UsageWho::RUSAGE_THREAD)?.voluntary_context_switches())
}

fn waits_since(before: i64) -> Result<i64> {
    Ok(i64::from(waits()? > before))
}

/// An engine on a disk whose syncs take long, and how many there were.
fn slow(folder: &Path) -> Result<(Engine, Arc<AtomicUsize>)> {
    let path = folder.join("store.db");
    let store: Arc<dyn Store> = Arc::new(SqliteStore::create(
        &path,
        &SqliteOptions::default(),
        &SystemClock,
    )?);
    let syncs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&syncs);
    let slow = FaultyStore::new(store, move |call, _| {
        if matches!(call, Call::Commit | Call::Exchange) {
            counted.fetch_add(1, Ordering::Relaxed);
            std::thread::sleep(SYNC);
        }
        None
    });
    Ok((Options::default().on(Arc::new(slow)), syncs))
}

/// The disk was at work all the time, or the figures say nothing.
fn was_slow(syncs: &AtomicUsize, began: Instant) -> Result<()> {
    let syncs = syncs.load(Ordering::Relaxed) as u128;
    let wanted = began.elapsed().as_millis() / SYNC.as_millis() / 2;
    ensure!(syncs >= wanted.max(1), "{syncs} syncs, {wanted} wanted");
    Ok(())
}

fn nothing(calls: usize) -> Result<Pauses> {
    let mut pauses = Pauses::default();
    for n in 0..calls {
        pauses.time(|| std::hint::black_box(n))?;
        std::thread::sleep(BETWEEN);
    }
    Ok(pauses)
}

/// The chat as it is at the `n`-th call.
fn change(chat: &mut ChatState, n: usize) {
    chat.output_tokens = n as u64;
    chat.updated_at += 1.0;
}

fn text(calls: usize, chat: &ChatState) -> Result<Pauses> {
    let folder = tempfile::tempdir()?;
    let (engine, syncs) = slow(folder.path())?;
    let mut chat = chat.clone();
    submitted(calls, &syncs, |pauses, n| {
        change(&mut chat, n);
        let text = Bytes::from(chat.compact());
        pauses.time(|| engine.save_json("chat/1", text).submit())
    })
}

fn serialised(calls: usize, chat: &ChatState) -> Result<Pauses> {
    let mut pauses = Pauses::default();
    let mut chat = chat.clone();
    for n in 0..calls {
        change(&mut chat, n);
        pauses.time(|| serde_json::to_vec(&chat))??;
        std::thread::sleep(BETWEEN);
    }
    Ok(pauses)
}

fn value(calls: usize, chat: &ChatState) -> Result<Pauses> {
    let folder = tempfile::tempdir()?;
    let (engine, syncs) = slow(folder.path())?;
    let mut chat = chat.clone();
    submitted(calls, &syncs, |pauses, n| {
        change(&mut chat, n);
        pauses.time(|| engine.save("chat/1", &chat).submit())
    })
}

/// All are durable at the end.
fn submitted(
    calls: usize,
    syncs: &AtomicUsize,
    mut submit: impl FnMut(&mut Pauses, usize) -> Result<Ticket>,
) -> Result<Pauses> {
    let (mut pauses, mut tickets) = (Pauses::default(), Vec::with_capacity(calls));
    let began = Instant::now();
    for n in 0..calls {
        tickets.push(submit(&mut pauses, n)?);
        std::thread::sleep(BETWEEN);
    }
    was_slow(syncs, began)?;
    for ticket in tickets {
        ticket.wait()?;
    }
    Ok(pauses)
}

/// What a program with auto-save does on its own thread: it changes its state, under a lock that the provider takes
/// too, and says that something happened.
fn by_itself(calls: usize, chat: &ChatState) -> Result<(Pauses, Pauses)> {
    let folder = tempfile::tempdir()?;
    let (engine, syncs) = slow(folder.path())?;
    let engine = Arc::new(engine);
    let saving = engine.auto_save()?;
    let live = Arc::new(Mutex::new(Arc::new(chat.clone())));
    let provided = Arc::clone(&live);
    let every = AutoSaving::every(Duration::from_millis(20));
    saving.register("chat/1", every, move || {
        // What it gives away it does not hold.
        let state = Arc::clone(&provided.lock().unwrap_or_else(PoisonError::into_inner));
        State::of(&*state).map(Some)
    })?;
    let (mut touches, mut locks) = (Pauses::default(), Pauses::default());
    let began = Instant::now();
    let mut chat = chat.clone();
    for n in 0..calls {
        change(&mut chat, n);
        let next = Arc::new(chat.clone());
        locks.time(|| *live.lock().unwrap_or_else(PoisonError::into_inner) = next)?;
        touches.time(|| saving.touch("chat/1"))?;
        std::thread::sleep(BETWEEN);
    }
    was_slow(&syncs, began)?;
    saving.stop()?;
    let newest: ChatState = serde_json::from_slice(engine.restore("chat/1@latest")?.text())
        .context("the newest state")?;
    ensure!(newest == chat, "the last state was not saved");
    Ok((touches, locks))
}

fn waiting(chat: &ChatState) -> Result<Pauses> {
    let folder = tempfile::tempdir()?;
    let (engine, _) = slow(folder.path())?;
    let mut pauses = Pauses::default();
    let mut chat = chat.clone();
    for n in 0..3 {
        change(&mut chat, n);
        let text = Bytes::from(chat.compact());
        pauses.time(|| engine.save_json("chat/1", text).commit())??;
    }
    Ok(pauses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_disk_is_slow_and_every_state_arrives() {
        let chat = of_length(1, 4);
        let (touches, locks) = by_itself(20, &chat).unwrap();
        assert_eq!((touches.times.len(), locks.times.len()), (20, 20));
        let waited = waiting(&chat).unwrap();
        assert_eq!(waited.waited, 3, "who commits waits for the disk");
        assert!(waited.at(0.5) >= SYNC.as_secs_f64() * 1e6);
    }
}
