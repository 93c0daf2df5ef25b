//! Repair: what is damaged comes back from other stores of the same id, or is put together from what is around it.
//!
//! The rows of the store are looked at like `verify` does. For each session that something is wrong with, `session`
//! decides which rows are to be, and one exchange makes them so: a repair that ends anywhere leaves each session as it was,
//! or repaired, and is begun anew. Nothing is invented, and nothing is kept silent: what is not as it was saved is marked in
//! the snapshot itself, and what is lost is named.

mod aside;
mod erased;
mod found;
mod holes;
mod keys;
mod layout;
mod log;
mod made;
mod mix;
mod report;
mod rest;
mod round;
mod session;
mod source;
mod states;
mod survey;
mod wrong;

pub use self::report::{
    Gap, How, Lost, RepairedSnapshot, Repairs, RowOutcome, RowRepair, SessionRepairs,
};
use self::source::Source;
use crate::attempt::TRIES;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Happened;
use crate::model::Action;

/// What is known beside the rows.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Holes {
    /// Rows of sessions may be missing without a trace.
    pub(crate) sessions: bool,
    /// Rows of records may be.
    pub(crate) records: bool,
    /// Rows of the trash may be.
    pub(crate) trash: bool,
    /// Notes, operations and policies may be.
    pub(crate) rest: bool,
    /// Nobody else can have the store open.
    pub(crate) alone: bool,
}

/// What a repair may take intact rows from, in order of preference: see [`Engine::repair`].
#[derive(Default)]
pub struct Repair<'a> {
    sources: Vec<&'a Engine>,
    holes: Holes,
}

impl<'a> Repair<'a> {
    /// Of a store whose file was built anew.
    pub(crate) fn in_a_new_file(holes: Holes) -> Self {
        Self {
            holes,
            ..Self::default()
        }
    }

    /// Takes what it needs from this store too: a copy of the one that is repaired, or a backup of it that was restored
    /// elsewhere. It is only read.
    #[must_use]
    pub fn from(mut self, source: &'a Engine) -> Self {
        self.sources.push(source);
        self
    }
}

impl Engine {
    /// Repairs what is damaged, as far as it can be: rows come from the [sources](Repair::from) that have them, each
    /// proved by its checksum; a state that no source has is looked for elsewhere in the store, or put together from
    /// the components of its nearest intact neighbours, and its snapshot is [marked](crate::Snapshot::repaired). What was
    /// deleted does not come back. What is lost is named.
    ///
    /// Sessions are repaired one by one, each in one step. After a crash or an error it is begun anew, and finishes. The
    /// rows that are replaced are kept in a file beside the store, as they stood. Sessions that a program has open are
    /// left alone, and named. A repair with a source gives back also what an earlier repair without one had to mark.
    ///
    /// ```
    /// use dalsegno::{Engine, Repair};
    ///
    /// # fn main() -> dalsegno::Result<()> {
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let (path, copy) = (folder.path().join("store.db"), folder.path().join("mirror.db"));
    /// let engine = Engine::create(&path)?;
    /// engine.save_json("bot/42", "{\"volume\":75}").commit()?;
    /// # engine.close()?;
    /// # std::fs::copy(&path, &copy).unwrap();
    /// # let engine = Engine::open(&path)?;
    ///
    /// let mirror = Engine::open(&copy)?;
    /// let repairs = engine.repair(&Repair::default().from(&mirror))?;
    /// assert!(repairs.is_nothing(), "all was well");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Damaged` where the structure of the store's file is: [rebuild](crate::Options::rebuild) it; `InvalidInput` where a
    /// source is another store; `Denied`; `Conflict` where other programs kept changing it.
    pub fn repair(&self, repair: &Repair<'_>) -> Result<Repairs> {
        self.repair_with(repair, &mut |_| {})
    }

    /// As [`repair`](Engine::repair); `progress` hears of each session's number of all, when it is looked at.
    ///
    /// # Errors
    /// As [`repair`](Engine::repair).
    pub fn repair_with(
        &self,
        repair: &Repair<'_>,
        progress: &mut dyn FnMut(&str),
    ) -> Result<Repairs> {
        self.allow(Action::Repair, None)?;
        if self.is_read_only() {
            return Err(Error::new(
                ErrorKind::Denied,
                "the store is open for reading only, so that it cannot be repaired",
            ));
        }
        self.flush()?;
        let sources = self.sources(repair)?;
        self.mend(&sources, repair, progress).map_err(led)
    }

    fn mend(
        &self,
        sources: &[Source<'_>],
        repair: &Repair<'_>,
        progress: &mut dyn FnMut(&str),
    ) -> Result<Repairs> {
        let mut all = Repairs::default();
        self.bring_log(sources, repair.holes, &mut all)?;
        let keyed = self.bring_keys(sources, repair.holes, &mut all)?;
        for _ in 0..TRIES {
            let mut round = Repairs::default();
            let done = self.round(sources, repair.holes, true, &mut round, progress)?;
            all.go_on(round);
            if done {
                self.tell_repaired(&all, keyed);
                return Ok(all);
            }
        }
        Err(Error::conflict(format!(
            "other programs changed the store {TRIES} times in between; what was repaired stays so, try again for the rest"
        ))
        .partly(true))
    }

    /// What [`repair`](Engine::repair) would do. Nothing is changed. Where the keys of sessions are lost and a source has
    /// them, more comes back than it says.
    ///
    /// # Errors
    /// As [`repair`](Engine::repair).
    pub fn repair_plan(&self, repair: &Repair<'_>) -> Result<Repairs> {
        self.allow(Action::Repair, None)?;
        let sources = self.sources(repair)?;
        let mut plan = Repairs::default();
        let planned = self.round(&sources, repair.holes, false, &mut plan, &mut |_| {});
        planned.map_err(led)?;
        Ok(plan)
    }

    fn sources<'s>(&self, repair: &Repair<'s>) -> Result<Vec<Source<'s>>> {
        let store = self.store().info().id;
        let open = |source: &&'s Engine| Source::open(source, &store);
        repair.sources.iter().map(open).collect()
    }

    fn tell_repaired(&self, repairs: &Repairs, keyed: bool) {
        let of = repairs.sessions.iter();
        let done = of.clone().any(|it| it.held.is_none()) || !repairs.aside.is_empty() || keyed;
        if !done {
            return;
        }
        let snapshots = of.flat_map(|it| &it.snapshots).map(|it| it.snapshot);
        let what = Happened::Repaired {
            message: format!(
                "{} as they were saved, {} marked, {} lost",
                repairs.back(),
                repairs.marked(),
                repairs.lost().len()
            ),
            snapshots: snapshots.collect(),
            lost: repairs.lost(),
        };
        self.tell(None, what);
    }
}

/// Where rows cannot be read at all, no repair of rows can help.
fn led(error: Error) -> Error {
    let way = "`repair --rebuild`";
    if error.kind() != ErrorKind::Damaged || error.to_string().contains(way) {
        return error;
    }
    error.hint(format!(
        "build the file anew from what can be read of it: {way}"
    ))
}
