//! Repair: what is damaged comes back from other stores of the same id, or is put together from what is around it.
//!
//! The rows of the store are looked at like `verify` does. For each session that something is wrong with, `session`
//! decides which rows are to be, and one exchange makes them so: a repair that ends anywhere leaves each session as it was,
//! or repaired, and is begun anew. Nothing is invented, and nothing is kept silent: what is not as it was saved is marked in
//! the snapshot itself, and what is lost is named.

mod found;
mod holes;
mod layout;
mod log;
mod made;
mod mix;
mod report;
mod rest;
mod session;
mod source;
mod states;
mod survey;

use std::collections::BTreeSet;
use std::path::PathBuf;

pub use self::report::{
    Gap, How, Lost, RepairedSnapshot, Repairs, RowOutcome, RowRepair, SessionRepairs,
};
use self::rest::Rest;
use self::session::{Planned, Session};
use self::source::Source;
use self::survey::{Stand, Survey};
use crate::attempt::TRIES;
use crate::chain;
use crate::codec::detail;
use crate::durable;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Happened;
use crate::lease::{self, Standing};
use crate::model::{Action, SnapshotId, StoreId};
use crate::store::{Exchange, Flow, Row, Rows, SnapshotRow, View};
use crate::walk::Chain;

/// So many bytes of rows are put together before they are written.
const PIECE: usize = 64 << 20;

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
        let mut all = Repairs::default();
        self.bring_log(&sources, repair.holes, &mut all)?;
        let keyed = self.bring_keys(&sources, repair.holes, &mut all)?;
        for _ in 0..TRIES {
            let mut round = Repairs::default();
            let done = self.round(&sources, repair.holes, true, &mut round, progress)?;
            all.aside = all.aside.take().or(round.aside);
            merge(&mut all.sessions, round.sessions);
            all.rows.extend(round.rows);
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
        self.round(&sources, repair.holes, false, &mut plan, &mut |_| {})?;
        Ok(plan)
    }

    fn sources<'s>(&self, repair: &Repair<'s>) -> Result<Vec<Source<'s>>> {
        let store = self.store().info().id;
        let open = |source: &&'s Engine| Source::open(source, &store);
        repair.sources.iter().map(open).collect()
    }

    /// One look at the whole store, and what follows from it; whether all of it was done.
    fn round(
        &self,
        sources: &[Source<'_>],
        holes: Holes,
        apply: bool,
        repairs: &mut Repairs,
        progress: &mut dyn FnMut(&str),
    ) -> Result<bool> {
        let store = &self.store().info().id;
        let now = self.now().as_microsecond();
        let view = self.raw_view()?;
        let view = &*view;
        check_structure(view)?;
        let mut survey = Survey::of(view, store)?;
        if holes.sessions {
            self.missing_sessions(view, sources, &mut survey)?;
        }
        let mut piece = Vec::new();
        let mut done = true;
        for (number, stand) in &survey.sessions {
            let session = Session {
                view,
                store,
                sources,
                number: *number,
                stand,
                holes,
                now,
            };
            progress(stand.row.as_ref().map_or("", |row| &row.name));
            if !is_wrong(view, store, sources, *number, stand)? {
                continue;
            }
            if !holes.alone
                && let Some(held) = self.held_by(view, stand)?
            {
                let (name, _) = session.name(&[])?;
                repairs.sessions.push(SessionRepairs {
                    session: name,
                    held: Some(held),
                    ..SessionRepairs::default()
                });
                continue;
            }
            let Planned {
                mut exchange,
                report,
                touched,
            } = session.plan()?;
            if exchange.take == Rows::default() && exchange.put == Rows::default() {
                if !report.lost.is_empty() {
                    repairs.sessions.push(report);
                }
                continue;
            }
            let said = self.said(Action::Repair).of(*number, touched);
            exchange.say.push(said.note(sentence(&report)));
            piece.push((exchange, Some(report)));
            if apply && bytes(&piece) > PIECE {
                done &= self.apply(std::mem::take(&mut piece), holes, repairs)?;
            }
        }
        let mut rest = Rest::of(view, store, sources, holes, self.now());
        rest.plan(&survey)?;
        let Rest {
            mut exchange,
            report,
            ..
        } = rest;
        if exchange.take != Rows::default() || exchange.put != Rows::default() {
            let said = self.said(Action::Repair);
            exchange
                .say
                .push(said.note(format!("{} rows that are of no session", report.len())));
            piece.push((exchange, None));
        }
        if apply {
            done &= self.apply(piece, holes, repairs)?;
        } else {
            let planned = piece.into_iter().filter_map(|(_, report)| report);
            repairs.sessions.extend(planned);
        }
        // What comes after a round that is begun again says the same once more.
        if done {
            repairs.rows.extend(report);
        }
        Ok(done)
    }

    /// Keeps the rows that go, and carries out what was planned; whether nobody came between.
    fn apply(
        &self,
        piece: Vec<(Exchange, Option<SessionRepairs>)>,
        holes: Holes,
        repairs: &mut Repairs,
    ) -> Result<bool> {
        if piece.is_empty() {
            return Ok(true);
        }
        // Of a file that was built anew, the old one is kept as a whole.
        if !holes.alone {
            let aside = self.keep_aside(piece.iter().map(|(exchange, _)| &exchange.take))?;
            repairs.aside = repairs.aside.take().or(aside);
        }
        let mut all = true;
        for (exchange, report) in piece {
            let done = self.store().exchange(&exchange);
            let done = done.map_err(|error| error.partly(!repairs.sessions.is_empty()))?;
            if done {
                repairs.sessions.extend(report);
            }
            all &= done;
        }
        Ok(all)
    }

    /// Writes the rows to a file beside the store, as they stand in its tables: what is sealed there is sealed here.
    fn keep_aside<'r>(&self, rows: impl Iterator<Item = &'r Rows>) -> Result<Option<PathBuf>> {
        // Beside a file that is on no disk of the system's, there is no place.
        let Some(sqlite) = self.sqlite().filter(|it| !it.is_virtual()) else {
            return Ok(None);
        };
        let lines = sqlite.as_they_stand(rows)?;
        if lines.is_empty() {
            return Ok(None);
        }
        let stamp = self.now().strftime("%Y%m%dT%H%M%S");
        for count in 0..10_000 {
            let mut name = sqlite.path().as_os_str().to_owned();
            let suffix = if count == 0 {
                String::new()
            } else {
                format!("-{count}")
            };
            name.push(format!(".replaced-{stamp}{suffix}.jsonl"));
            let path = PathBuf::from(name);
            let written = durable::write_new(&path, &lines);
            if written.map_err(|e| e.context("keeping the rows that are to be replaced"))? {
                return Ok(Some(path));
            }
        }
        Err(Error::conflict(
            "there are too many files of replaced rows beside the store",
        ))
    }

    /// The program that has the session open, where that is another one.
    fn held_by(&self, view: &dyn View, stand: &Stand) -> Result<Option<String>> {
        let store = &self.store().info().id;
        let Some(row) = &stand.row else {
            return Ok(None);
        };
        if let Standing::Holder(_) = self.leases().standing(&row.name) {
            return Ok(None);
        }
        let found = match lease::rows::lease(view, store, row.id) {
            // Nobody can say who has it: whoever it is will look again.
            Err(error) if error.kind() == ErrorKind::Damaged => return Ok(None),
            found => found?,
        };
        let Some(found) = found else { return Ok(None) };
        let holder = lease::rows::holder(view, store, &found.lease, self.clock())?;
        Ok(holder.as_ref().map(lease::rows::shown))
    }

    /// Sessions whose rows went without a trace, where that may be: those that a source has, and nobody erased.
    fn missing_sessions(
        &self,
        view: &dyn View,
        sources: &[Source<'_>],
        survey: &mut Survey,
    ) -> Result<()> {
        let mut names = BTreeSet::new();
        view.sessions(&mut |row| {
            names.insert(row.name);
            Flow::Continue(())
        })?;
        for source in sources {
            for row in source.sessions()? {
                let erased = self
                    .is_erased(&row.name)
                    .or_else(|error| match error.kind() {
                        // Where nobody can say, it does not come back.
                        ErrorKind::Damaged => Ok(true),
                        _ => Err(error),
                    });
                if !survey.sessions.contains_key(&row.id) && !names.contains(&row.name) && !erased?
                {
                    names.insert(row.name);
                    survey.sessions.insert(row.id, Stand::default());
                }
            }
        }
        Ok(())
    }

    /// In an encrypted store, records open with the key that stands in their session's row: it comes first.
    fn bring_keys(
        &self,
        sources: &[Source<'_>],
        holes: Holes,
        repairs: &mut Repairs,
    ) -> Result<bool> {
        if !self.is_encrypted() || sources.is_empty() {
            return Ok(false);
        }
        let store = &self.store().info().id;
        let view = self.raw_view()?;
        let view = &*view;
        check_structure(view)?;
        let survey = Survey::of(view, store)?;
        let mut piece = Vec::new();
        for (number, stand) in &survey.sessions {
            let held = !holes.alone && self.held_by(view, stand)?.is_some();
            if stand.row_is_intact(store) || held {
                continue;
            }
            let session = Session {
                view,
                store,
                sources,
                number: *number,
                stand,
                holes,
                now: 0,
            };
            let of = session.sources_of()?;
            for at in of {
                let Some(source) = sources.get(at) else {
                    continue;
                };
                let key = source::passed_over(source.view.session_key(*number))?.flatten();
                let (Some(key), Some(row)) = (key, source.session(*number)?) else {
                    continue;
                };
                let mut exchange = session.row_with_key(row.name, key);
                exchange.say.push(self.said(Action::Repair).of(*number, []));
                piece.push((exchange, None));
                break;
            }
        }
        let any = !piece.is_empty();
        self.apply(piece, holes, repairs)?;
        Ok(any)
    }

    fn tell_repaired(&self, repairs: &Repairs, keyed: bool) {
        let of = repairs.sessions.iter();
        let done = of.clone().any(|it| it.held.is_none()) || repairs.aside.is_some() || keyed;
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

/// Refuses a store whose rows cannot all be seen.
fn check_structure(view: &dyn View) -> Result<()> {
    let complaints = view.check_structure();
    let first = match complaints {
        Ok(complaints) => complaints.into_iter().next(),
        Err(error) if error.kind() == ErrorKind::Damaged => Some(error.to_string()),
        Err(error) => return Err(error),
    };
    first.map_or(Ok(()), |complaint| {
        Err(Error::damaged(format!(
            "the structure of the store's file is damaged ({}): it has to be built anew from what can be read \
             (`repair --rebuild`)",
            complaint.lines().next().unwrap_or_default()
        )))
    })
}

/// Whether something is wrong with a session: by its rows, or when each of its states is rebuilt.
fn is_wrong(
    view: &dyn View,
    store: &StoreId,
    sources: &[Source<'_>],
    number: i64,
    stand: &Stand,
) -> Result<bool> {
    if stand.is_suspect(store) {
        return Ok(true);
    }
    for light in stand
        .live
        .iter()
        .chain(&stand.trash)
        .filter(|light| light.marked)
    {
        for source in sources {
            let there = source.snapshot(number, light.seq)?;
            let detail = there.and_then(|row| detail::decode(&row.detail).ok());
            if detail.is_some_and(|detail| detail.repaired.is_none()) {
                return Ok(true);
            }
        }
    }
    let mut chain = Chain::default();
    let mut all: Vec<SnapshotRow> = Vec::new();
    let mut proved = BTreeSet::new();
    let lights = stand.live.iter().map(|light| (light, true));
    let mut lights: Vec<_> = lights
        .chain(stand.trash.iter().map(|light| (light, false)))
        .collect();
    lights.sort_by_key(|(light, _)| light.seq);
    for (light, live) in lights {
        let row = if live {
            view.snapshot(light.seq)?
        } else {
            view.trashed(light.seq)?
                .map(|row| row.snapshot.summed(store))
        };
        let Some(row) = row else { return Ok(true) };
        if !proved.insert(light.state) {
            all.push(row);
            continue;
        }
        if !is_proved(view, store, &row, &mut chain)? {
            return Ok(true);
        }
    }
    // That each refers to the state that it was saved with.
    for row in all {
        let own = |row: &SnapshotRow| detail::decode(&row.detail).map(|it| it.checksum).ok();
        let of = view.snapshot(row.state_seq())?;
        let of = of.filter(|it| it.state.is_none());
        if of.is_some_and(|of| own(&of) != own(&row)) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_proved(
    view: &dyn View,
    store: &StoreId,
    row: &SnapshotRow,
    chain: &mut Chain,
) -> Result<bool> {
    let proof = detail::decode(&row.detail).and_then(|detail| {
        let state = chain.advance(view, store, row.session, row.state_seq())?;
        chain::proved_text(&state.document()?, row, detail.checksum)
    });
    match proof {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::Damaged => {
            chain.forget();
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// About how much is to be written.
fn bytes(piece: &[(Exchange, Option<SessionRepairs>)]) -> usize {
    let of = |rows: &Rows| rows.records.iter().map(|row| row.data.len()).sum::<usize>();
    piece.iter().map(|(exchange, _)| of(&exchange.put)).sum()
}

fn sentence(report: &SessionRepairs) -> String {
    let lost: Vec<String> = report
        .lost
        .iter()
        .map(|lost| lost.snapshot.to_string())
        .collect();
    match lost.len() {
        0 => format!("{} repaired", report.snapshots.len()),
        _ => format!(
            "{} repaired; lost: {}",
            report.snapshots.len(),
            lost.join(", ")
        ),
    }
}

/// A session that was looked at again says what became of it then.
fn merge(known: &mut Vec<SessionRepairs>, more: Vec<SessionRepairs>) {
    for report in more {
        let same = known.iter_mut().find(|it| it.session == report.session);
        match same {
            Some(before) => {
                let said: BTreeSet<SnapshotId> =
                    before.snapshots.iter().map(|it| it.snapshot).collect();
                before.snapshots.extend(
                    report
                        .snapshots
                        .into_iter()
                        .filter(|it| !said.contains(&it.snapshot)),
                );
                for lost in report.lost {
                    if !before.lost.contains(&lost) {
                        before.lost.push(lost);
                    }
                }
                before.held = report.held;
            }
            None => known.push(report),
        }
    }
}
