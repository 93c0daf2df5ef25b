//! P1: bytes for a day of auto-saves.

use std::collections::HashSet;

use anyhow::Result;

use super::Plan;
use super::day::{Kept, Restores, Way, keep, restores};
use crate::peer::{self, dalsegno, fastcdc, git};
use crate::report::{Bound, Cell, Findings, Table};
use crate::workload::chat::{self, ChatDay, ChatState};
use crate::workload::game::{self, GameDay};
use crate::workload::player::QueueState;
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

/// What is to be reached against git, plain and aggressive.
const GIT: Bound = Bound::AtLeast(2.0);

/// What is to be reached against full JSON by a store that is opened and closed for every save.
const EACH: Bound = Bound::AtLeast(100.0);

/// A day, and what is to be reached on it.
struct Day<T> {
    title: String,
    rates: &'static str,
    layout: Layout,
    targets: Option<Targets>,
    /// The parts of a state that stay when it changes, for the note on how small they pack.
    parts: Option<Parts<T>>,
}

type Parts<T> = fn(&T) -> Vec<Vec<u8>>;

#[derive(Clone, Copy)]
struct Targets {
    full: Bound,
    chunks: Bound,
}

/// The queue and the chat in both layouts, then the game and the quiet player.
pub fn run(plan: &Plan) -> Result<Findings> {
    let (seed, saves) = (plan.seed, plan.saves());
    let mut found = Findings::default();
    for layout in Layout::ALL {
        let about = Day {
            title: "200-track queue".to_owned(),
            rates: queue::RATES,
            layout,
            targets: Some(Targets {
                full: Bound::AtLeast(250.0),
                chunks: Bound::AtLeast(8.0),
            }),
            parts: Some(tracks as Parts<QueueState>),
        };
        let states = QueueDay::with(seed, queue::TRACKS, saves);
        day(plan, &mut found, &about, states)?;
    }
    for layout in Layout::ALL {
        let about = Day {
            title: format!("chat growing to {} messages", plan.messages()),
            rates: chat::RATES,
            layout,
            targets: Some(Targets {
                full: Bound::AtLeast(300.0),
                chunks: Bound::AtLeast(4.0),
            }),
            parts: Some(messages as Parts<ChatState>),
        };
        let states = ChatDay::with(seed, 4, plan.messages(), saves);
        day(plan, &mut found, &about, states)?;
    }
    let turns = if plan.quick { 30 } else { game::TURNS };
    let about = Day::informal("game", game::RATES);
    day(plan, &mut found, &about, GameDay::with(seed, turns))?;
    for (title, scalar) in [
        ("unchanged player", false),
        ("player, one scalar changes", true),
    ] {
        let about = Day::informal(title, quiet::RATES);
        let states = QuietDay::with(seed, scalar, saves);
        day(plan, &mut found, &about, states)?;
    }
    Ok(found)
}

impl<T> Day<T> {
    /// A compact one without targets.
    fn informal(title: &str, rates: &'static str) -> Self {
        Self {
            title: title.to_owned(),
            rates,
            layout: Layout::Compact,
            targets: None,
            parts: None,
        }
    }
}

fn day<T: Document>(
    plan: &Plan,
    found: &mut Findings,
    about: &Day<T>,
    states: impl Iterator<Item = T>,
) -> Result<()> {
    let mut distinct = Distinct::default();
    let states: Vec<Vec<u8>> = states
        .map(|state| {
            if let Some(parts) = about.parts {
                parts(&state).iter().for_each(|part| distinct.add(part));
            }
            state.text(about.layout)
        })
        .collect();
    let mut kept = Vec::new();
    for contestant in peer::all() {
        kept.push(keep(&contestant, &states, true)?);
    }
    let ways = kept.iter_mut().map(Way::of).collect();
    let times = restores(ways, &states, plan.restore_rounds())?;

    let layout = about.layout.name();
    let title = format!("a day of auto-saves, {}, {layout}", about.title);
    let mut table = Table::new("p1", title, &COLUMNS);
    table.note(about.rates);
    table.note(what_was_saved(&states)?);
    if about.parts.is_some() {
        table.note(distinct.packed()?);
    }
    let sizes = Sizes::of(&states, &kept);
    fill(&mut table, &sizes, &kept, &times);
    found.tables.push(table);
    if let Some(targets) = about.targets {
        claim(
            found,
            &format!("{}, {layout}", about.title),
            &sizes,
            targets,
        );
    }
    Ok(())
}

/// What each kept of one day.
struct Sizes {
    full: u64,
    engine: Option<u64>,
    engine_each: Option<u64>,
    git: [Option<u64>; 2],
    chunks: Option<u64>,
}

impl Sizes {
    fn of(states: &[Vec<u8>], kept: &[Kept]) -> Self {
        let find = |key| kept.iter().find(|k| k.key == key);
        let git = |step: usize| Some(find(git::KEY)?.tidied.get(step)?.0.bytes);
        Self {
            full: states.iter().map(|state| state.len() as u64).sum(),
            engine: find(dalsegno::KEY).map(|k| k.bytes),
            engine_each: find(dalsegno::KEY_EACH).map(|k| k.bytes),
            git: [git(0), git(1)],
            chunks: find(fastcdc::KEY).map(|k| k.bytes),
        }
    }
}

fn ratio(than: u64, bytes: u64) -> f64 {
    than as f64 / bytes.max(1) as f64
}

fn claim(found: &mut Findings, what: &str, sizes: &Sizes, targets: Targets) {
    let Some(engine) = sizes.engine else { return };
    let against = [
        ("full JSON", Some(sizes.full), targets.full),
        ("git gc", sizes.git[0], GIT),
        ("git gc --aggressive", sizes.git[1], GIT),
        ("FastCDC", sizes.chunks, targets.chunks),
    ];
    for (other, bytes, target) in against {
        if let Some(bytes) = bytes {
            let what = format!("bytes, {what}: less than {other}");
            found.claim("p1", what, target, ratio(bytes, engine));
        }
    }
    if let Some(each) = sizes.engine_each {
        let what = format!("bytes, {what}, opened and closed for every save: less than full JSON");
        found.claim("p1", what, EACH, ratio(sizes.full, each));
    }
}

fn fill(table: &mut Table, sizes: &Sizes, kept: &[Kept], times: &[Restores]) {
    let less = |than: Option<u64>, bytes: u64| {
        than.map_or(Cell::None, |than| Cell::Times(ratio(than, bytes)))
    };
    for (one, time) in kept.iter().zip(times) {
        let ratios = |bytes| {
            [
                Cell::Bytes(bytes),
                less(Some(sizes.full), bytes),
                less(sizes.git[0], bytes),
                less(sizes.git[1], bytes),
                less(sizes.chunks, bytes),
            ]
        };
        let restores = [
            Cell::Micros(time.newest_us()),
            Cell::Micros(time.worst_us()),
        ];
        let saves = [
            Cell::Micros(one.save.cpu_us),
            Cell::Micros(one.close.cpu_us),
        ];
        let mut rows = vec![(one.peer.name(), ratios(one.bytes), saves)];
        for (tidied, took) in &one.tidied {
            let took = [Cell::None, Cell::Micros(took.cpu_us)];
            rows.push((tidied.label.clone(), ratios(tidied.bytes), took));
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

/// Every part that any state of the day has, once.
#[derive(Default)]
struct Distinct {
    seen: HashSet<[u8; 32]>,
    bytes: Vec<u8>,
}

impl Distinct {
    fn add(&mut self, part: &[u8]) {
        if self.seen.insert(*blake3::hash(part).as_bytes()) {
            self.bytes.extend_from_slice(part);
        }
    }

    /// What no store that packs with zstd can be smaller than: its content alone, in one piece,
    /// without anything that says which state has what.
    fn packed(&self) -> Result<String> {
        let packed =
            |level| Ok::<_, anyhow::Error>(zstd::bulk::compress(&self.bytes, level)?.len());
        Ok(format!(
            "the {} different tracks or messages of the day, each once, in one piece and nothing \
             else: {} bytes; packed by zstd -3 {}, -6 {}, -19 {}",
            self.seen.len(),
            self.bytes.len(),
            packed(3)?,
            packed(6)?,
            packed(19)?
        ))
    }
}

fn tracks(state: &QueueState) -> Vec<Vec<u8>> {
    let queue = &state.queue;
    let listed = queue.upcoming.iter().chain(&queue.history);
    queue
        .current
        .iter()
        .chain(listed)
        .map(Document::compact)
        .collect()
}

fn messages(state: &ChatState) -> Vec<Vec<u8>> {
    state.messages.iter().map(Document::compact).collect()
}
