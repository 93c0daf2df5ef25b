//! `diff`: neighbours compared as the unchanged part grows ten times, and ten times again.

use anyhow::{Context, Result, ensure};
use dalsegno::{Engine, Snapshot};
use serde_json::Value;
use tempfile::TempDir;

use super::Plan;
use super::rounds::{Contest, Timing};
use crate::report::{Bound, Cell, Findings, Table};
use crate::workload::Document;
use crate::workload::chat::{ChatState, of_length};

const SESSION: &str = "bench/1";

/// What happens from one state to the next, in this order.
const STEPS: [&str; 4] = [
    "one scalar changed",
    "one message added",
    "the last message replaced",
    "the first message of all removed",
];
/// Of these, how many need no look at the oldest record.
const NEAR: usize = 3;

/// The time goes by the change: 100 times the messages may cost a fifth more.
const FLAT: Bound = Bound::AtMost(1.2);
/// Against rebuilding both states of the longest chat and comparing their parsed JSON.
const LESS: Bound = Bound::AtLeast(100.0);

/// A chat's neighbours, by the chat's length.
pub fn run(plan: &Plan) -> Result<Findings> {
    let lengths: &[usize] = if plan.quick {
        &[500, 5_000]
    } else {
        &[500, 5_000, 50_000]
    };
    let mut table = Table::new(
        "diff",
        "neighbours in a chat, by its messages",
        &["compared"],
    );
    for length in lengths {
        table.columns.push(format!("{length}: CPU"));
    }
    table.columns.push("longest of shortest".to_owned());
    table.note(
        "an open store on disk, its pages in memory; the chat was saved once as a whole, then once for \
         each change; each changes the time of the last change as well; the message that is replaced \
         is the one that was added before, the one that is removed stands in the first record; `both \
         rebuilt` reads and proves both states with Dalsegno and compares what serde_json makes of them, \
         member by member",
    );
    let mut all: Vec<Vec<Timing>> = Vec::new();
    for &length in lengths {
        let kept = Kept::new(plan.seed, length)?;
        all.push(kept.contest(plan)?);
    }
    let (Some(first), Some(last)) = (all.first(), all.last()) else {
        return Ok(Findings::default());
    };
    let mut found = Findings::default();
    for (row, timing) in first.iter().enumerate() {
        let of = |timings: &[Timing]| timings.get(row).map_or(f64::NAN, |t| t.median.cpu_us);
        let growth = of(last) / of(first);
        let mut cells: Vec<Cell> = all
            .iter()
            .map(|timings| Cell::Micros(of(timings)))
            .collect();
        cells.push(Cell::Times(growth));
        if row < NEAR {
            let step = STEPS.get(row).unwrap_or(&"");
            let longest = lengths.last().unwrap_or(&0);
            found.claim(
                "diff",
                format!("CPU, {step}: at {longest} messages of at 500"),
                FLAT,
                growth,
            );
            let rebuilt = last.last().map_or(f64::NAN, |t| t.median.cpu_us);
            let what = format!("CPU, {step}, {longest} messages: less than both rebuilt");
            found.claim("diff", what, LESS, rebuilt / of(last));
        }
        table.row(timing.name.clone(), cells);
    }
    found.tables.push(table);
    Ok(found)
}

/// A chat and its neighbours in a store.
struct Kept {
    engine: Engine,
    ids: Vec<String>,
    _folder: TempDir,
}

impl Kept {
    fn new(seed: u64, length: usize) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let engine = Engine::create(folder.path().join("store.db"))?;
        let mut ids = Vec::new();
        let mut save = |state: &mut ChatState| -> Result<()> {
            let saved: Snapshot = engine.save_json(SESSION, state.compact()).commit()?;
            state.updated_at += 61.5;
            ids.push(saved.id.to_string());
            Ok(())
        };
        let mut state = of_length(seed, length);
        let fresh = of_length(seed, 4).messages;
        let (Some(added), Some(other)) = (fresh.get(1), fresh.get(3)) else {
            anyhow::bail!("a chat has messages");
        };
        save(&mut state)?;
        save(&mut state)?;
        state.messages.push(added.clone());
        save(&mut state)?;
        *state.messages.last_mut().context("a message")? = other.clone();
        save(&mut state)?;
        state.messages.remove(0);
        save(&mut state)?;
        Ok(Self {
            engine,
            ids,
            _folder: folder,
        })
    }

    fn pair(&self, step: usize) -> Result<(&str, &str)> {
        let pair = self
            .ids
            .get(step..step + 2)
            .context("there are as many states as steps and one")?;
        Ok((&pair[0], &pair[1]))
    }

    fn contest(&self, plan: &Plan) -> Result<Vec<Timing>> {
        let mut contest = Contest::default();
        for (step, name) in STEPS.iter().enumerate() {
            let (from, to) = self.pair(step)?;
            let counts = self.engine.diff(from, to)?.counts();
            let all = counts.added + counts.removed + counts.changed;
            ensure!(all == 1 + usize::from(step > 0), "{name}: {counts:?}");
            let repeats = if step < NEAR { 200 } else { 1 };
            contest.add(format!("diff, {name}"), repeats, move || {
                for _ in 1..repeats {
                    std::hint::black_box(self.engine.diff(from, to)?);
                }
                Ok(self.engine.diff(from, to)?)
            });
        }
        let (far, last) = (&self.ids[0], &self.ids[2]);
        contest.add(
            "diff, two steps apart (Dalsegno rebuilds both)",
            1,
            move || Ok(self.engine.diff(far, last)?),
        );
        let (from, to) = self.pair(1)?;
        contest.add(
            "both rebuilt, parsed and compared, one message added",
            1,
            move || {
                let value = |id: &str| Ok::<Value, anyhow::Error>(self.engine.restore(id)?.to()?);
                let (old, new) = (value(from)?, value(to)?);
                ensure!(differing(&old, &new) == 2);
                Ok(())
            },
        );
        contest.run(plan.rounds())
    }
}

/// How many members, or items at the end of lists, are not the same.
fn differing(old: &Value, new: &Value) -> usize {
    let (Some(old), Some(new)) = (old.as_object(), new.as_object()) else {
        return 0;
    };
    let differ = |(name, value): (&String, &Value)| match (old.get(name), value.as_array()) {
        (Some(Value::Array(was)), Some(is)) => {
            let same = was.iter().zip(is).filter(|(a, b)| a == b).count();
            was.len().max(is.len()) - same
        }
        (was, _) => usize::from(was != Some(value)),
    };
    new.iter().map(differ).sum()
}
