//! P5: snapshots in memory to roll back to, as the conversation grows.

use std::cell::RefCell;
use std::hint::black_box;

use anyhow::Result;
use dalsegno_claudmaster::keep::Keep;
use dalsegno_claudmaster::{RollbackManager, Settings};
use serde_json::Value;

use super::Plan;
use super::cpu::{Spent, spent};
use super::rounds::{Contest, Timing};
use crate::report::{Bound, Cell, Findings, Table};
use crate::workload::game::{self, GameDay, GameState, Played};
use form::{Session, Shared};

mod form;
pub mod memory;
mod python;

/// Snapshots and rollbacks of a shared session in one measured piece of work.
const MANY: usize = 20_000;
/// Turns played in a piece of work whose parts are measured one by one.
const TURNS: usize = 5;

const SHARED: &str = "shared: snapshot";
const SHARED_TURN: &str = "shared: a turn played and a snapshot";
const SHARED_BACK: &str = "shared: rollback";
const TO_VEC: &str = "serde_json::to_vec of the typed session (the floor)";
const SERIALISED: &str = "serialised: snapshot";
const FROM_SLICE: &str = "serde_json::from_slice, typed (the floor)";
const SERIALISED_BACK: &str = "serialised: rollback to the newest";
const SERIALISED_OLDEST: &str = "serialised: rollback to the oldest of ten";
const DUMP: &str = "to_value and a deep clone of it (as model_dump and deepcopy)";
const CLONE: &str = "a deep clone of the JSON value";

/// A game of growing length.
pub fn run(plan: &Plan) -> Result<Findings> {
    let lengths: &[usize] = if plan.quick {
        &[50, 5_000]
    } else {
        &[50, 5_000, 50_000]
    };
    let mut found = Findings::default();
    times(plan, lengths, &mut found)?;
    held(plan, lengths, &mut found)?;
    python::through(plan, lengths, &mut found)?;
    Ok(found)
}

fn times(plan: &Plan, lengths: &[usize], found: &mut Findings) -> Result<()> {
    let mut table = Table::new("p5", "a snapshot, by entries of the game", &["way"]);
    table.note(game::RATES);
    table.note(
        "CPU; the limit is ten snapshots, so that each drops the oldest; id, label and time included; \
         between two snapshots of a serialised session a turn is played, which does not count; after five \
         it is as it was",
    );
    let mut all: Vec<Vec<Timing>> = Vec::new();
    for &entries in lengths {
        let game = RefCell::new(GameDay::of_length(plan.seed, entries));
        let text = serde_json::to_vec(game.borrow().state())?;
        table.note(format!(
            "{entries} entries are {} bytes of JSON",
            text.len()
        ));
        table.columns.push(format!("{entries}: CPU"));
        all.push(contest(plan, &game)?);
    }
    table.columns.push("longest of shortest".to_owned());
    let names = all.first().into_iter().flatten();
    for (row, timing) in names.enumerate() {
        let each = all.iter().filter_map(|timings| timings.get(row));
        let each: Vec<f64> = each.map(|timing| timing.median.cpu_us).collect();
        let (first, last) = (each.first().copied(), each.last().copied());
        let growth = last.unwrap_or(f64::NAN) / first.unwrap_or(f64::NAN);
        let cells = each.iter().map(|us| Cell::Micros(*us));
        table.row(timing.name.as_str(), cells.chain([Cell::Times(growth)]));
    }
    found.tables.push(table);

    let of = |timings: &[Timing], name: &str| {
        let timing = timings.iter().find(|timing| timing.name == name);
        timing.map_or(f64::NAN, |timing| timing.median.cpu_us)
    };
    let shared: Vec<f64> = all.iter().map(|timings| of(timings, SHARED)).collect();
    let most = shared.iter().copied().fold(f64::NAN, f64::max);
    let least = shared.iter().copied().fold(f64::NAN, f64::min);
    let longest = lengths.last().unwrap_or(&0);
    let what = format!("CPU, snapshot of a shared session, up to {longest} entries: the most");
    found.claim(
        "p5",
        format!("{what} of the least"),
        Bound::AtMost(1.2),
        most / least,
    );
    found.claim("p5", format!("{what} of 1 µs"), Bound::AtMost(1.0), most);
    for (timings, entries) in all.iter().zip(lengths) {
        found.claim(
            "p5",
            format!("CPU, snapshot of any other session, {entries} entries: of serde_json::to_vec"),
            Bound::AtMost(1.2),
            of(timings, SERIALISED) / of(timings, TO_VEC),
        );
    }
    Ok(())
}

fn contest(plan: &Plan, game: &RefCell<GameDay>) -> Result<Vec<Timing>> {
    let start = game.borrow().state().clone();
    let mut shared = Settings::new(Shared::turn).shared(Shared::of(&start)?);
    let mut played = Settings::new(Shared::turn).shared(Shared::of(&start)?);
    let mut back = Settings::new(Shared::turn).shared(Shared::of(&start)?);
    back.create_snapshot("first")?;
    let mut serialised = Settings::new(GameState::turn).serialised(start.clone());
    let mut other = Settings::new(GameState::turn).serialised(start.clone());
    for _ in 0..10 {
        other.session.play(&game.borrow_mut().play())?;
        other.create_snapshot("turn")?;
    }
    let oldest = other.list_snapshots()[0].snapshot_id;
    let other = RefCell::new(other);
    let mut plain = start.clone();
    let first = Value::of(&start)?;
    let mut value = first.clone();
    let newest = serde_json::to_vec(&other.borrow().session)?;

    let mut contest = Contest::default();
    contest.add(SHARED, MANY, move || snapshots(&mut shared));
    contest.add(SHARED_TURN, TURNS * 100, || {
        for _ in 0..TURNS * 100 / SAME {
            let turn = game.borrow_mut().play();
            for _ in 0..SAME {
                played.session.play(&turn)?;
                played.create_snapshot("turn")?;
            }
        }
        Ok(())
    });
    contest.add(SHARED_BACK, MANY, move || {
        for _ in 0..MANY {
            back.rollback_last()?;
        }
        Ok(())
    });
    contest.add_timed(TO_VEC, TURNS, || {
        plain.clone_from(&start);
        turns(game, |turn| {
            plain.play(turn)?;
            spent(|| Ok(serde_json::to_vec(&plain)?))
        })
    });
    contest.add_timed(SERIALISED, TURNS, || {
        serialised.session.clone_from(&start);
        serialised.create_snapshot("as it was")?;
        turns(game, |turn| {
            serialised.session.play(turn)?;
            spent(|| Ok(serialised.create_snapshot("turn")?))
        })
    });
    contest.add(FROM_SLICE, 1, || {
        Ok(serde_json::from_slice::<GameState>(&newest)?)
    });
    contest.add(SERIALISED_BACK, 1, || {
        Ok(other.borrow_mut().rollback_last()?)
    });
    contest.add(SERIALISED_OLDEST, 1, || {
        Ok(other.borrow_mut().rollback_to(oldest)?)
    });
    contest.add_timed(DUMP, TURNS, || {
        let session = other.borrow();
        turns(game, |_| {
            spent(|| {
                let dumped = serde_json::to_value(&session.session)?;
                Ok(black_box(dumped.clone()))
            })
        })
    });
    contest.add_timed(CLONE, TURNS, || {
        value.clone_from(&first);
        turns(game, |turn| {
            value.play(turn)?;
            spent(|| Ok(value.clone()))
        })
    });
    contest.run(plan.rounds())
}

/// How many snapshots in a row have the same turn played before them, to spare the narrator.
const SAME: usize = 10;

fn snapshots<S, K: Keep<S>>(manager: &mut RollbackManager<S, K>) -> Result<()> {
    for _ in 0..MANY {
        black_box(manager.create_snapshot("turn")?);
    }
    Ok(())
}

/// Some turns, and what counts of each.
fn turns<T>(
    game: &RefCell<GameDay>,
    mut work: impl FnMut(&Played) -> Result<(T, Spent)>,
) -> Result<Spent> {
    let each = (0..TURNS).map(|_| {
        let turn = game.borrow_mut().play();
        work(&turn).map(|(_, spent)| spent)
    });
    each.sum()
}

fn held(plan: &Plan, lengths: &[usize], found: &mut Findings) -> Result<()> {
    let columns = [
        "way",
        "10 snapshots",
        "100 snapshots",
        "each from the 10th on",
    ];
    let mut each_by_way: Vec<(&str, Vec<f64>)> = Vec::new();
    for &entries in lengths {
        let title = format!("memory for snapshots of a game of {entries} entries");
        let mut table = Table::new("p5", title, &columns);
        table.note(
            "resident memory that a process of its own takes more after the 10th and the 100th snapshot \
             than after the first, less what the game itself grew by meanwhile; a turn is played before each; \
             a serialised session takes room for one more text with its second snapshot, and then only for \
             what changes",
        );
        let none = memory::of(plan.seed, memory::WAYS[0], entries)?;
        for way in memory::WAYS.into_iter().skip(1) {
            let held = memory::of(plan.seed, way, entries)?;
            let more = |from: usize, to: usize| {
                let grown = held[to].saturating_sub(held[from]);
                grown.saturating_sub(none[to].saturating_sub(none[from]))
            };
            let each = more(1, 2) as f64 / (memory::AFTER[2] - memory::AFTER[1]) as f64;
            let cells = [more(0, 1), more(0, 2), each as u64].map(Cell::Bytes);
            table.row(way, cells);
            match each_by_way.iter_mut().find(|(known, _)| *known == way) {
                Some((_, each_of)) => each_of.push(each),
                None => each_by_way.push((way, vec![each])),
            }
        }
        found.tables.push(table);
    }
    let [.., shorter, longest] = lengths else {
        return Ok(());
    };
    for (way, each) in &each_by_way {
        if let ([.., of, last], true) = (&each[..], *way != "deep-clone") {
            let what = format!(
                "memory for each further snapshot, {way}: at {longest} entries of at {shorter}"
            );
            found.claim("p5", what, Bound::AtMost(1.2), last / of);
        }
    }
    Ok(())
}
