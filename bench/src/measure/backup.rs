//! `backup`: a backup of many sessions, and restoring it, against copying the store's file and against borg on JSON files.

use std::fs::{self, File};
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use dalsegno::{BackupProgress, Engine, Kind, MakeBackup, Options, RestoreBackup, Ticket};
use tempfile::TempDir;

use super::Plan;
use super::cpu::{Spent, spent};
use super::rounds::median;
use crate::peer::borg::Borg;
use crate::peer::files::bytes_below;
use crate::report::{Bound, Cell, Findings, Table};
use crate::workload::Document;
use crate::workload::tick::{RATES, TickSessions};

/// Ticks before the first backup: an hour.
const TICKS: u64 = 12;

const FULL: &str = "a backup of everything";
const BARE: &str = "a backup of everything, without parity";
const COPY: &str = "the store's file copied, with fsync";
const BORG: &str = "borg create, of the newest states as JSON files";
const RESTORE: &str = "the backup restored and proved";
const VERIFY: &str = "the backup verified";
const BACK: &str = "the file copied back, with fsync";
const EXTRACT: &str = "borg extract, of the newest states";
const INCREMENTAL: &str = "a backup of what changed";

/// Full, restored, and of what changed in one tick.
pub fn run(plan: &Plan) -> Result<Findings> {
    let mut yard = Yard::new(plan)?;
    let mut found = Findings::default();
    let ticks = if plan.quick { 3 } else { TICKS };
    (0..ticks).try_for_each(|_| yard.tick())?;
    yard.reopen()?;
    let title = format!("{} sessions, {ticks} ticks of each", plan.sessions());
    let full = yard.full(plan)?;
    let back = yard.back(plan)?;
    let changed = yard.changed(plan)?;
    for (what, rows) in [
        ("a backup of everything", &full),
        ("bringing it back", &back),
        ("a backup after one tick more of all sessions", &changed),
    ] {
        let mut table = Table::new(
            "backup",
            format!("{what}: {title}"),
            &["what", "by the clock", "CPU", "bytes"],
        );
        for row in rows {
            let cells = [
                Cell::Micros(row.median.wall_us),
                Cell::Micros(row.median.cpu_us),
                Cell::Bytes(row.bytes),
            ];
            table.row(row.name, cells);
        }
        found.tables.push(table);
    }
    if let Some(first) = found.tables.first_mut() {
        first.note(RATES);
        first.note(match &yard.borg {
            Some(borg) => format!("{}, with its own settings (lz4), no encryption; it has one state of each session a backup, Dalsegno's has all", borg.version),
            None => "borg is not installed: no figures of it".to_owned(),
        });
        first.note("parity is 10 % where not told otherwise; copies and archives are synced; files are in the page cache");
    }
    claims(&mut found, &full, &back, &changed);
    Ok(found)
}

/// What was to be reached.
fn claims(found: &mut Findings, full: &[Row], back: &[Row], changed: &[Row]) {
    let mut claim = |what: &str, bound, rows: (&[Row], &str), of: (&[Row], &str), is_bytes| {
        let value = |(rows, name): (&[Row], &str)| {
            let row = rows.iter().find(|row| row.name == name)?;
            Some(if is_bytes {
                row.bytes as f64
            } else {
                row.median.wall_us
            })
        };
        if let Some((one, other)) = value(rows).zip(value(of)) {
            found.claim("backup", what, Bound::AtMost(bound), one / other);
        }
    };
    let clock = false;
    claim(
        "time of a backup of everything, of copying the file",
        6.0,
        (full, FULL),
        (full, COPY),
        clock,
    );
    claim(
        "time of a backup of everything, of borg create",
        1.0,
        (full, FULL),
        (full, BORG),
        clock,
    );
    claim(
        "time of restoring and proving it, of borg extract",
        2.0,
        (back, RESTORE),
        (back, EXTRACT),
        clock,
    );
    claim(
        "time of a backup of one tick, of borg create",
        1.0,
        (changed, INCREMENTAL),
        (changed, BORG),
        clock,
    );
    claim(
        "time of a backup of one tick, of one of everything",
        0.5,
        (changed, INCREMENTAL),
        (full, FULL),
        clock,
    );
    let bytes = true;
    claim(
        "bytes of a backup of everything, of the file",
        1.15,
        (full, FULL),
        (full, COPY),
        bytes,
    );
    claim(
        "bytes of a backup of one tick, of one of everything",
        0.1,
        (changed, INCREMENTAL),
        (full, FULL),
        bytes,
    );
}

/// What one way took, and the bytes that it wrote.
struct Row {
    name: &'static str,
    taken: Vec<Spent>,
    median: Spent,
    bytes: u64,
}

/// Rows in the order in which they were first noted.
#[derive(Default)]
struct Rows(Vec<Row>);

impl Rows {
    fn note(&mut self, name: &'static str, taken: Spent, bytes: u64) {
        match self.0.iter_mut().find(|row| row.name == name) {
            Some(row) => {
                row.taken.push(taken);
                row.bytes = bytes;
            }
            None => self.0.push(Row {
                name,
                taken: vec![taken],
                median: Spent::default(),
                bytes,
            }),
        }
    }

    fn end(mut self) -> Vec<Row> {
        for row in &mut self.0 {
            row.median = median(&row.taken);
        }
        self.0
    }
}

/// A store with many sessions, and the same sessions as files where borg is installed.
struct Yard {
    folder: TempDir,
    sessions: TickSessions,
    names: Vec<String>,
    engine: Engine,
    borg: Option<Borg>,
    step: u64,
    /// The newest backup.
    newest: PathBuf,
}

fn go_on(_: BackupProgress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn copy(from: &Path, to: &Path) -> Result<u64> {
    let mut out = File::create(to)?;
    let bytes = io::copy(&mut File::open(from)?, &mut out)?;
    out.sync_all()?;
    Ok(bytes)
}

impl Yard {
    fn new(plan: &Plan) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let sessions = TickSessions::new(plan.seed, plan.sessions());
        let engine = Engine::create(folder.path().join("store.db"))?;
        fs::create_dir(folder.path().join("files"))?;
        Ok(Self {
            names: (0..sessions.len()).map(|n| sessions.name(n)).collect(),
            sessions,
            engine,
            borg: Borg::find(folder.path())?,
            step: 0,
            newest: folder.path().join("none"),
            folder,
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// All sessions are saved at their next state.
    fn tick(&mut self) -> Result<()> {
        let all: Vec<usize> = (0..self.names.len()).collect();
        // Some at a time, so that their texts need little memory.
        for some in all.chunks(500) {
            let mut saves = Vec::with_capacity(some.len());
            for &n in some {
                let text = self.sessions.state(n, self.step).compact();
                if self.borg.is_some() {
                    fs::write(self.path(&format!("files/{n}.json")), &text)?;
                }
                let name = self.names.get(n).context("a session without a name")?;
                saves.push(self.engine.save_json(name, text).kind(Kind::Auto));
            }
            let tickets = self.engine.submit_together(saves);
            tickets
                .into_iter()
                .try_for_each(|it: Ticket| it.wait().map(drop))?;
        }
        self.step += 1;
        Ok(())
    }

    /// Records are gathered in blocks, as when a program ends.
    fn reopen(&mut self) -> Result<()> {
        let store = self.path("store.db");
        let other = Engine::create(self.path("other.db"))?;
        let engine = std::mem::replace(&mut self.engine, other);
        engine.close()?;
        self.engine = Engine::open(store)?;
        Ok(())
    }

    fn back_up(&self, how: &MakeBackup) -> Result<(PathBuf, Spent, u64)> {
        let (made, taken) = spent(|| Ok(self.engine.back_up(how, &mut go_on)?))?;
        Ok((made.backup.path, taken, made.backup.bytes))
    }

    fn copied(&self, rows: &mut Rows) -> Result<()> {
        let to = self.path("copy.db");
        let (bytes, taken) = spent(|| copy(&self.path("store.db"), &to))?;
        rows.note(COPY, taken, bytes);
        Ok(())
    }

    fn full(&mut self, plan: &Plan) -> Result<Vec<Row>> {
        let mut rows = Rows::default();
        for _ in 0..plan.few_rounds() {
            for (name, parity) in [(BARE, 0), (FULL, dalsegno::DEFAULT_PARITY)] {
                if self.newest.exists() {
                    fs::remove_file(&self.newest)?;
                }
                let how = MakeBackup::full(self.path("backups")).parity(parity);
                let (path, taken, bytes) = self.back_up(&how)?;
                self.newest = path;
                rows.note(name, taken, bytes);
            }
            self.copied(&mut rows)?;
            if let Some(borg) = &mut self.borg {
                borg.begin()?;
                let (bytes, taken) = spent(|| borg.create(&self.folder.path().join("files")))?;
                rows.note(BORG, taken, bytes);
            }
        }
        Ok(rows.end())
    }

    fn back(&self, plan: &Plan) -> Result<Vec<Row>> {
        let mut rows = Rows::default();
        for _ in 0..plan.few_rounds() {
            let into = self.path("again.db");
            let how = RestoreBackup::of(&self.newest);
            let restore = || Options::default().restore_backup(&how, &into, &mut go_on);
            let (_, taken) = spent(|| Ok(restore()?))?;
            rows.note(RESTORE, taken, fs::metadata(&into)?.len());
            fs::remove_file(&into)?;
            let verify = || dalsegno::verify_backup(&self.newest, None, &mut go_on);
            let (_, taken) = spent(|| Ok(verify()?))?;
            rows.note(VERIFY, taken, fs::metadata(&self.newest)?.len());
            let (bytes, taken) = spent(|| copy(&self.path("copy.db"), &into))?;
            rows.note(BACK, taken, bytes);
            fs::remove_file(&into)?;
            if let Some(borg) = &self.borg {
                let out = self.path("extracted");
                fs::create_dir(&out)?;
                let ((), taken) = spent(|| borg.extract(&out))?;
                rows.note(EXTRACT, taken, bytes_below(&out)?);
                fs::remove_dir_all(&out)?;
            }
        }
        Ok(rows.end())
    }

    fn changed(&mut self, plan: &Plan) -> Result<Vec<Row>> {
        let mut rows = Rows::default();
        for _ in 0..plan.few_rounds() {
            self.tick()?;
            let how = MakeBackup::incremental(self.path("backups"));
            let (path, taken, bytes) = self.back_up(&how)?;
            self.newest = path;
            rows.note(INCREMENTAL, taken, bytes);
            self.copied(&mut rows)?;
            if let Some(borg) = &mut self.borg {
                let (bytes, taken) = spent(|| borg.create(&self.folder.path().join("files")))?;
                rows.note(BORG, taken, bytes);
            }
        }
        Ok(rows.end())
    }
}
