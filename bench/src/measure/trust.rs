//! `trust`: what encryption and the audit log cost a save and a restore, against the same store without.

use std::path::PathBuf;

use anyhow::Result;
use dalsegno::{Engine, Options, Secret, Ticket};
use tempfile::TempDir;

use super::Plan;
use super::cpu::Spent;
use super::rounds::{Contest, Timing};
use crate::peer::files::bytes_below;
use crate::report::{Bound, Cell, Findings, Table};
use crate::workload::chat::{self, ChatDay};
use crate::workload::queue::{self, QueueDay};
use crate::workload::{Document, Layout};

/// The queue and the chat of a day, and a tick of many sessions.
pub fn run(plan: &Plan) -> Result<Findings> {
    let (seed, saves) = (plan.seed, plan.saves());
    let mut found = Findings::default();
    let texts = |states: &mut dyn Iterator<Item = Vec<u8>>| states.collect::<Vec<_>>();
    let compact = Layout::ALL[0];
    let mut states = QueueDay::with(seed, queue::TRACKS, saves).map(|it| it.text(compact));
    let title = "a day of a 200-track queue";
    day(plan, &mut found, title, queue::RATES, &texts(&mut states))?;
    let mut states = ChatDay::with(seed, 4, plan.messages(), saves).map(|it| it.text(compact));
    let title = "a day of a growing chat";
    day(plan, &mut found, title, chat::RATES, &texts(&mut states))?;
    tick(plan, &mut found)?;
    Ok(found)
}

/// A store of one kind.
struct Kind {
    name: &'static str,
    secret: Option<Secret>,
    is_audited: bool,
    /// How many times what it costs in clear it may cost.
    bound: f64,
}

impl Kind {
    /// The first is what the others are compared with.
    fn all() -> Result<[Self; 4]> {
        let kind = |name, is_sealed: bool, is_audited, bound| {
            anyhow::Ok(Self {
                name,
                secret: is_sealed.then(Secret::generate).transpose()?,
                is_audited,
                bound,
            })
        };
        Ok([
            kind("in clear", false, false, 1.0)?,
            kind("encrypted", true, false, 1.5)?,
            kind("in clear, audited", false, true, 1.25)?,
            kind("encrypted, audited", true, true, 1.75)?,
        ])
    }

    fn options(&self) -> Options {
        let options = Options::default();
        match &self.secret {
            Some(secret) => options.secret(secret.clone()),
            None => options,
        }
    }

    fn create(&self) -> Result<(TempDir, PathBuf, Engine)> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("store.db");
        let engine = self.options().create(&path)?;
        if self.is_audited {
            engine.audit_on()?;
        }
        Ok((folder, path, engine))
    }
}

/// A store with a day of saves in it.
struct Full {
    folder: TempDir,
    engine: Engine,
}

fn day(
    plan: &Plan,
    found: &mut Findings,
    title: &str,
    rates: &str,
    texts: &[Vec<u8>],
) -> Result<()> {
    let kinds = Kind::all()?;
    let fill = |kind: &Kind| -> Result<Full> {
        let (folder, path, engine) = kind.create()?;
        for text in texts {
            engine.save_json("bench/1", text.clone()).commit()?;
        }
        engine.close()?;
        let engine = kind.options().open(&path)?;
        Ok(Full { folder, engine })
    };
    let full = kinds.iter().map(fill).collect::<Result<Vec<_>>>()?;
    let mut saves = Contest::default();
    for kind in &kinds {
        saves.add(kind.name, texts.len(), || fill(kind));
    }
    let saves = saves.run(plan.few_rounds())?;
    let mut newest = Contest::default();
    let mut middle = Contest::default();
    for (kind, full) in kinds.iter().zip(&full) {
        let restore = |reference: &str| Ok(full.engine.restore(reference)?.into_text());
        newest.add(kind.name, 1, move || restore("bench/1@latest"));
        let reference = format!("bench/1@-{}", texts.len() / 2);
        middle.add(kind.name, 1, move || restore(&reference));
    }
    let newest = newest.run(plan.rounds() * 10)?;
    let middle = middle.run(plan.rounds() * 10)?;
    let mut table = Table::new(
        "trust",
        format!("what encryption and the audit log cost: {title}"),
        &[
            "store",
            "CPU of a save",
            "a save, by the clock",
            "CPU to restore the newest",
            "CPU to restore one of noon",
            "bytes in files",
        ],
    );
    table.note(rates);
    table.note("each save is committed and durable by itself; saves with opening, closing and packing, divided by their number");
    for (n, full) in full.iter().enumerate() {
        let cells = [
            Cell::Micros(saves[n].median.cpu_us),
            Cell::Micros(saves[n].median.wall_us),
            Cell::Micros(newest[n].median.cpu_us),
            Cell::Micros(middle[n].median.cpu_us),
            Cell::Bytes(bytes_below(full.folder.path())?),
        ];
        table.row(saves[n].name.as_str(), cells);
    }
    found.tables.push(table);
    for (what, times) in [
        ("save", &saves),
        ("restore the newest", &newest),
        ("restore one of noon", &middle),
    ] {
        claim(
            found,
            &format!("CPU to {what}, {title}"),
            &kinds,
            times,
            |it| it.cpu_us,
        );
    }
    Ok(())
}

/// All sessions in one commit, again and again.
fn tick(plan: &Plan, found: &mut Findings) -> Result<()> {
    let kinds = Kind::all()?;
    let sessions = plan.sessions();
    let names: Vec<String> = (0..sessions).map(|n| format!("bench/{n}")).collect();
    let title = format!("{sessions} sessions in one durable tick");
    let stores = kinds.iter().map(Kind::create).collect::<Result<Vec<_>>>()?;
    let mut contest = Contest::default();
    for (kind, (_, _, engine)) in kinds.iter().zip(&stores) {
        let mut turn = 0_u64;
        let names = &names;
        contest.add(kind.name, 1, move || {
            turn += 1;
            let text = |n: usize| format!("{{\"turn\":{turn},\"position\":{},\"queue\":[\"{n}\",\"a track that stays\"]}}", turn * 1_000);
            let saves = names.iter().enumerate();
            let saves = saves.map(|(n, name)| engine.save_json(name, text(n)).kind(dalsegno::Kind::Auto)).collect();
            let tickets = engine.submit_together(saves);
            tickets.into_iter().try_for_each(|it: Ticket| it.wait().map(drop))?;
            Ok(())
        });
    }
    let times = contest.run(plan.tick_rounds())?;
    let mut table = Table::new(
        "trust",
        format!("what encryption and the audit log cost: {title}"),
        &["store", "CPU", "by the clock"],
    );
    for time in &times {
        table.row(
            time.name.as_str(),
            [
                Cell::Micros(time.median.cpu_us),
                Cell::Micros(time.median.wall_us),
            ],
        );
    }
    found.tables.push(table);
    claim(found, &format!("CPU, {title}"), &kinds, &times, |it| {
        it.cpu_us
    });
    Ok(())
}

/// That no kind takes more than its bound, of what the first takes.
fn claim(
    found: &mut Findings,
    what: &str,
    kinds: &[Kind],
    times: &[Timing],
    of: impl Fn(&Spent) -> f64,
) {
    let Some(clear) = times.first().map(|time| of(&time.median)) else {
        return;
    };
    for (kind, time) in kinds.iter().zip(times).skip(1) {
        found.claim(
            "trust",
            format!("{what}: {}, of in clear", kind.name),
            Bound::AtMost(kind.bound),
            of(&time.median) / clear,
        );
    }
}
