//! Whole ticks: from the sessions' states to a durable commit, against a file for each.

use std::collections::HashMap;
use std::fs;

use anyhow::{Context, Result};
use bytes::Bytes;
use dalsegno::{Engine, Kind, Options, Save, Ticket};
use tempfile::TempDir;

use super::Plan;
use crate::measure::cpu::{Spent, spent};
use crate::measure::rounds::{median, middle};
use crate::peer::files::bytes_below;
use crate::peer::python::{self, Style};
use crate::report::{Bound, Cell, Findings, Table};
use crate::workload::Document;
use crate::workload::player::QueueState;
use crate::workload::shared::{Shared, SharedQueue};
use crate::workload::tick::{RATES, TickSessions};

/// Different states that Python and Rust write in turn; all are as long as a session's.
const DIFFERENT: usize = 500;

/// With this many loose records a session is packed when its store is closed.
const PACKED_ON_CLOSE: u64 = 8;

/// Memory for the newest states of all sessions, so that no save has to read the store.
const CACHE: usize = 4 << 30;

const RUST: &str = "Rust to_vec + write";

/// One way's tick: snapshots, seconds by the clock and of CPU, bytes.
#[derive(Debug, Clone, Copy)]
struct Rate {
    sessions: usize,
    spent: Spent,
    bytes: u64,
}

/// Returns the sizes of the records that a tick yields, one for each session.
pub(super) fn run(plan: &Plan, found: &mut Findings) -> Result<Vec<usize>> {
    let sessions = plan.sessions();
    let some = TickSessions::new(plan.seed, DIFFERENT.min(sessions));
    let mut engines = Vec::new();
    let mut firsts = Vec::new();
    for form in Form::ALL {
        let (engine, first) = EngineTicks::start(plan, form)?;
        engines.push(engine);
        firsts.push(first);
    }
    let mut order: Vec<&str> = Vec::new();
    let mut taken: HashMap<&str, Vec<Rate>> = HashMap::new();
    // The ways take turns; the engines go on with their sessions, a tick further each time.
    for _ in 0..plan.tick_rounds() {
        let mut note = |name: &'static str, rate| {
            if !order.contains(&name) {
                order.push(name);
            }
            taken.entry(name).or_default().push(rate);
        };
        for engine in &mut engines {
            note(engine.form.name(), engine.tick()?);
        }
        note(RUST, rust_files(&some, sessions)?);
        for style in Style::ALL {
            note(style.name(), python_files(&some, sessions, style)?);
        }
    }

    let columns = [
        "way",
        "snapshots/s",
        "of json.dumps + write",
        "of json.dumps + write + fsync",
        "snapshots per CPU second",
        "bytes written a tick",
    ];
    let mut table = Table::new("p3", format!("{sessions} whole sessions a tick"), &columns);
    table.note(RATES);
    table.note(format!(
        "medians of {} rounds; of Python and of Rust, {} different states stand for all",
        plan.tick_rounds(),
        some.len()
    ));
    let first: Vec<String> = firsts
        .iter()
        .map(|first| format!("{:.2} s", first.spent.wall_us / 1e6))
        .collect();
    table.note(format!(
        "the first tick, which stores every state whole, took {} in the order of the rows; it is \
         in none of them",
        first.join(", ")
    ));
    table.note(
        engines
            .first()
            .map(EngineTicks::records)
            .unwrap_or_default(),
    );
    let mut medians = Vec::with_capacity(order.len());
    for &name in &order {
        let rates = taken.get(name).context("no rounds were run")?;
        medians.push((name, middle_of(rates)?));
    }
    let per_second = |rate: &Rate| rate.sessions as f64 / rate.spent.wall_us * 1e6;
    let of = |wanted: &str| {
        let found = medians.iter().find(|(name, _)| *name == wanted);
        found.map_or(f64::NAN, |(_, rate)| per_second(rate))
    };
    let (plain, synced) = (of(Style::Plain.name()), of(Style::Synced.name()));
    for (name, rate) in &medians {
        let cells = [
            Cell::Count(per_second(rate)),
            Cell::Times(per_second(rate) / plain),
            Cell::Times(per_second(rate) / synced),
            Cell::Count(rate.sessions as f64 / rate.spent.cpu_us * 1e6),
            Cell::Bytes(rate.bytes),
        ];
        table.row(*name, cells);
    }
    found.tables.push(table);
    // Python serialises values: the target is about those, and about text that is there already.
    for form in [Form::Values, Form::Texts] {
        for (other, rate) in [("+ write", plain), ("+ write + fsync", synced)] {
            let name = form.name().trim_start_matches("Dalsegno, ");
            let what = format!("snapshots/s of a tick {name}: of Python json.dumps {other}");
            found.claim("p3", what, Bound::AtLeast(20.0), of(form.name()) / rate);
        }
    }
    let mut sizes = Vec::new();
    for engine in engines {
        sizes.clone_from(&engine.sizes);
        let closed = engine.close()?;
        if let Some(table) = found.tables.last_mut() {
            table.note(closed);
        }
    }
    Ok(sizes)
}

fn middle_of(rates: &[Rate]) -> Result<Rate> {
    let times: Vec<Spent> = rates.iter().map(|rate| rate.spent).collect();
    let first = rates.first().context("no rounds were run")?;
    Ok(Rate {
        spent: median(&times),
        bytes: middle(rates.iter().map(|rate| rate.bytes as f64).collect()) as u64,
        ..*first
    })
}

/// In what form the program holds its sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Values that are serialised for each save, as Python does it.
    Values,
    /// JSON text.
    Texts,
    /// Values whose lists are shared with the tick before.
    Shared,
}

impl Form {
    const ALL: [Self; 3] = [Self::Values, Self::Texts, Self::Shared];

    const fn name(self) -> &'static str {
        match self {
            Self::Values => "Dalsegno, from Serialize values, durable",
            Self::Texts => "Dalsegno, from JSON text, durable",
            Self::Shared => "Dalsegno, from sessions of shared lists, durable",
        }
    }
}

/// Sessions that go on from tick to tick in a store.
struct EngineTicks {
    form: Form,
    engine: Engine,
    sessions: TickSessions,
    names: Vec<String>,
    shared: Vec<SharedQueue>,
    folder: TempDir,
    next: u64,
    /// The sizes of the records of the last tick.
    sizes: Vec<usize>,
}

impl EngineTicks {
    /// Saves the first tick, which stores every state whole, and tells what it took.
    fn start(plan: &Plan, form: Form) -> Result<(Self, Rate)> {
        let sessions = TickSessions::new(plan.seed, plan.sessions());
        let folder = tempfile::tempdir()?;
        let mut ticks = Self {
            form,
            engine: Options::default()
                .cache_bytes(CACHE)
                .create(folder.path())?,
            names: (0..sessions.len()).map(|s| sessions.name(s)).collect(),
            sessions,
            shared: Vec::new(),
            folder,
            next: 0,
            sizes: Vec::new(),
        };
        let first = ticks.tick()?;
        Ok((ticks, first))
    }

    /// Saves all sessions a step further. What the program does to its sessions does not count.
    fn tick(&mut self) -> Result<Rate> {
        let step = self.next;
        self.next += 1;
        let (tickets, spent) = match self.form {
            Form::Values => {
                let states: Vec<QueueState> = self.sessions.states(step).collect();
                self.save(&states, |name, state| Ok(self.engine.save(name, state)))?
            }
            Form::Texts => {
                let states = self.sessions.states(step);
                let texts: Vec<Bytes> = states.map(|state| state.compact().into()).collect();
                self.save(&texts, |name, text| {
                    Ok(self.engine.save_json(name, text.clone()))
                })?
            }
            Form::Shared => {
                if self.shared.is_empty() {
                    let states = self.sessions.states(step);
                    self.shared = states.map(|state| SharedQueue::new(&state)).collect();
                } else {
                    let states = self.sessions.states(step);
                    let pairs = self.shared.iter_mut().zip(states);
                    pairs.for_each(|(session, state)| session.follow(&state));
                }
                self.save(&self.shared, |name, session| {
                    Ok(self.engine.save_document(name, session.document()?))
                })?
            }
        };
        let stored = |ticket: Ticket| Ok(ticket.wait()?.stored_size as usize);
        self.sizes = tickets.into_iter().map(stored).collect::<Result<_>>()?;
        Ok(Rate {
            sessions: self.sessions.len(),
            spent,
            bytes: self.sizes.iter().sum::<usize>() as u64,
        })
    }

    fn save<'a, T>(
        &'a self,
        sessions: &[T],
        save: impl Fn(&str, &T) -> Result<Save<'a>>,
    ) -> Result<(Vec<Ticket>, Spent)> {
        spent(|| {
            let submitted = self
                .names
                .iter()
                .zip(sessions)
                .map(|(name, session)| Ok(save(name, session)?.kind(Kind::Auto).submit()));
            let tickets = submitted.collect::<Result<_>>()?;
            self.engine.flush()?;
            Ok(tickets)
        })
    }

    /// Saves on until closing has to pack every session's records, and tells what that takes: for
    /// one form only, because packing does not depend on it.
    fn close(mut self) -> Result<String> {
        if self.form == Form::Texts {
            while self.next < PACKED_ON_CLOSE {
                self.tick()?;
            }
        }
        let path = self.folder.path().to_owned();
        let before = bytes_below(&path)?;
        let ticks = self.next;
        let name = self.form.name();
        let ((), took) = spent(|| Ok(self.engine.close()?))?;
        Ok(format!(
            "{name}: closing after {ticks} ticks took {:.2} s by the clock, {:.2} s of CPU, and left \
             {:.1} of {:.1} MB",
            took.wall_us / 1e6,
            took.cpu_us / 1e6,
            bytes_below(&path)? as f64 / 1e6,
            before as f64 / 1e6
        ))
    }

    fn records(&self) -> String {
        let mut sizes = self.sizes.clone();
        sizes.sort_unstable();
        let at = |part: f64| {
            sizes
                .get((sizes.len() as f64 * part) as usize)
                .copied()
                .unwrap_or(0)
        };
        format!(
            "a tick's records have {} bytes on average (a tenth up to {}, half up to {}, a tenth \
             from {}), without the columns of their rows",
            sizes.iter().sum::<usize>() / sizes.len().max(1),
            at(0.1),
            at(0.5),
            at(0.9)
        )
    }
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
        sessions,
        spent,
        bytes,
    })
}

fn python_files(ticks: &TickSessions, sessions: usize, style: Style) -> Result<Rate> {
    let folder = tempfile::tempdir()?;
    let states = ticks.states(0).map(|state| state.compact());
    let measured = python::dump(folder.path(), states, sessions, style)?;
    Ok(Rate {
        sessions: measured.sessions as usize,
        spent: Spent {
            cpu_us: measured.cpu_s * 1e6,
            wall_us: measured.wall_s * 1e6,
        },
        bytes: measured.bytes,
    })
}
