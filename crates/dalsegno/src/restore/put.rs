//! A restore in preparation: what is put back, where, and what that would change.

use std::borrow::Cow;
use std::cell::RefCell;
use std::path::{Path, PathBuf};

use super::destination::{Destination, File};
use super::plan::{Plan, Target, compare};
use crate::ask::Asked;
use crate::codec::checksum::{self, Checksum};
use crate::codec::deed::Before;
use crate::deed::Seen;
use crate::document::component::transplant;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Snapshot, SnapshotId, Verb};

/// A restore in preparation; [`plan`](Restore::plan) tells what it would do,
/// [`apply`](Restore::apply) does it.
#[must_use = "nothing is restored before apply()"]
pub struct Restore<'a> {
    pub(super) engine: &'a Engine,
    pub(super) verb: Verb,
    pub(super) source: Source,
    pub(super) components: Vec<String>,
    pub(super) aim: Aim<'a>,
    /// Where an operation was cut off at the target: what to remember in place of what stands there, if
    /// that is its torn rest.
    pub(crate) over_torn: Option<Before>,
    /// What stood there before this very undo or redo was cut off.
    pub(crate) cut_off: Option<Before>,
    /// It is logged also where it makes no difference to the target.
    even_if_equal: bool,
    /// It is put back in its current shape.
    migrate: bool,
    /// Of an undo or redo: what it was decided on. Where that has changed, it is another one's turn.
    pub(crate) seen: Option<Seen>,
    /// The request that it comes from.
    pub(crate) asked: Option<Asked>,
    pub(super) behalf: Option<String>,
}

/// What is put back.
pub(crate) enum Source {
    /// The state of the snapshot that this means.
    Reference(String),
    /// The state of this snapshot.
    Snapshot(i64),
    /// The newest state with what came back of a fuller one.
    Merged {
        /// The snapshot of the fuller state.
        from: i64,
        /// The newest snapshot of the session, onto which it was merged.
        onto: i64,
        text: Vec<u8>,
    },
    /// Nothing: what stands there is removed.
    Nothing {
        /// Whose log tells of it.
        session: String,
    },
    /// What is kept in a file, because it is no JSON.
    Beside {
        /// Whose log tells of it.
        session: String,
        /// The file.
        path: PathBuf,
        /// Its length and checksum.
        proof: Option<(u64, Checksum)>,
    },
}

/// Where it is put.
pub(super) enum Aim<'a> {
    Head,
    There {
        target: Target,
        destination: RefCell<Box<dyn Destination + 'a>>,
    },
    /// Only the program knows it.
    NotGiven(String),
}

/// What a restore did.
#[derive(Debug, Clone, serde::Serialize)]
#[non_exhaustive]
pub struct Report {
    /// What was planned, and was done.
    pub plan: Plan,
    /// What stood at the target before, kept as a snapshot.
    pub safety: Option<Snapshot>,
    /// What stood at the target before and is no JSON, kept as a file.
    pub kept_beside: Option<PathBuf>,
    /// The session's newest snapshot, where the target was the stored head and anything changed.
    pub head: Option<Snapshot>,
    /// Why [`undo`](Engine::undo) will not take it back, where it will not.
    pub no_undo: Option<String>,
}

/// What a source turned out to be.
struct Found {
    session: String,
    snapshot: Option<Snapshot>,
    text: Option<Vec<u8>>,
    /// The schema version of the text.
    version: Option<String>,
    /// Whether the text is another than the one saved.
    migrated: bool,
}

impl<'a> Restore<'a> {
    pub(crate) fn new(engine: &'a Engine, verb: Verb, source: Source) -> Self {
        Self {
            engine,
            verb,
            source,
            components: Vec::new(),
            aim: Aim::Head,
            over_torn: None,
            cut_off: None,
            even_if_equal: false,
            migrate: false,
            seen: None,
            asked: None,
            behalf: None,
        }
    }

    /// Puts only this component back; the others of the target stay. May be called several times.
    pub fn component(mut self, name: impl Into<String>) -> Self {
        self.components.push(name.into());
        self
    }

    /// For whom it is done, where this program acts for others: the audit log says so.
    pub fn behalf(mut self, who: impl Into<String>) -> Self {
        self.behalf = Some(who.into());
        self
    }

    /// Puts the state into the file at `path`, which is written whole or not at all. Without it, the
    /// state becomes the newest stored state of its session, and no running program is told.
    pub fn to_file(mut self, path: impl Into<PathBuf>) -> Self {
        let file = File::at(path);
        self.aim = Aim::There {
            target: file.target(),
            destination: RefCell::new(Box::new(file)),
        };
        self
    }

    /// Puts the state into something that the program reads and writes itself.
    pub fn to(mut self, destination: impl Destination + 'a) -> Self {
        self.aim = Aim::There {
            target: Target::Other(destination.name()),
            destination: RefCell::new(Box::new(destination)),
        };
        self
    }

    /// Logs it also where the target is in that state already: for programs whose own state has moved on
    /// since, and goes back now.
    pub fn even_if_equal(mut self) -> Self {
        self.even_if_equal = true;
        self
    }

    /// Puts the state back in its current shape, as the program's [migrations](crate::Migrations) make it, wherever it goes.
    /// Unless asked for, it is put back as it was saved.
    pub fn migrate(mut self) -> Self {
        self.migrate = true;
        self
    }

    /// Where it goes. What only a program can reach has to be given yet: see [`to`](Restore::to).
    #[must_use]
    pub fn target(&self) -> Target {
        match &self.aim {
            Aim::Head => Target::Head,
            Aim::There { target, .. } => target.clone(),
            Aim::NotGiven(name) => Target::Other(name.clone()),
        }
    }

    /// Into something of this name, which the program has to give yet.
    pub(crate) fn not_given_yet(mut self, name: String) -> Self {
        self.aim = Aim::NotGiven(name);
        self
    }

    /// What [`apply`](Restore::apply) would do. Nothing is changed.
    ///
    /// # Errors
    /// As [`Engine::restore`]; `NotFound` for a component, a folder or, with components, a target
    /// that is not there; `InvalidInput` where the target can be no file, or cannot take components: components of one
    /// schema version do not go into a state of another that has migrations. To be [migrated](Restore::migrate), as
    /// [`Restored::current`](crate::Restored::current).
    pub fn plan(&self) -> Result<Plan> {
        let found = self.find()?;
        let mut version = found.version;
        let (before, head, target) = match &self.aim {
            Aim::There {
                target,
                destination,
            } => {
                if let Target::File(path) = target {
                    self.refuse_own(path)?;
                }
                let there = match destination.borrow_mut().read() {
                    // Without its folder there is no file either, and nothing is to be put there.
                    Err(error)
                        if error.kind() == ErrorKind::NotFound
                            && matches!(target, Target::File(_))
                            && matches!(self.source, Source::Nothing { .. }) =>
                    {
                        None
                    }
                    there => there?,
                };
                (there, None, target.clone())
            }
            Aim::NotGiven(name) => return Err(not_given(name)),
            Aim::Head => {
                let (newest, latest) = self.engine.newest(&found.session)?;
                match latest {
                    Ok(latest) => {
                        if self.joins() {
                            let onto = latest.snapshot().schema_version.clone();
                            version = self.joined_version(&found.session, version, onto)?;
                        }
                        (Some(latest.into_text()), Some(newest), Target::Head)
                    }
                    // A whole state can take the place of one that is damaged.
                    Err(e) if e.kind() == ErrorKind::Damaged && self.components.is_empty() => {
                        (None, Some(newest), Target::Head)
                    }
                    Err(e) => return Err(e),
                }
            }
        };
        let after = match found.text {
            Some(text) if !self.components.is_empty() => {
                let there = before.as_deref().ok_or_else(nothing_to_keep)?;
                let joined = transplant(&text, there, &self.components);
                Some(joined.map_err(|e| e.context(&target))?)
            }
            text => text,
        };
        Ok(Plan {
            verb: self.verb,
            components: compare(before.as_deref(), after.as_deref()),
            changes: before != after,
            removes: after.is_none(),
            session: found.session,
            snapshot: found.snapshot,
            target,
            head,
            before,
            after,
            version,
            migrated: found.migrated,
        })
    }

    /// Whether only some of the target comes from the snapshot.
    pub(super) fn joins(&self) -> bool {
        !self.components.is_empty() || matches!(self.source, Source::Merged { .. })
    }

    /// The schema version of a state that is joined from two.
    fn joined_version(
        &self,
        session: &str,
        from: Option<String>,
        onto: Option<String>,
    ) -> Result<Option<String>> {
        if from == onto {
            return Ok(onto);
        }
        let Some(newest) = self.engine.migrations().newest(session) else {
            return Ok(None);
        };
        let shown = |version: Option<String>| version.unwrap_or_else(|| "none".to_owned());
        let (from, onto) = (shown(from), shown(onto));
        Err(Error::invalid(format!(
            "parts of schema version {from} do not go into the newest state of {session}, whose version is {onto}:              migrate both to {newest} first, or put the whole state back"
        )))
    }

    fn find(&self) -> Result<Found> {
        let id = |seq: &i64| SnapshotId::new(*seq, &self.engine.store().info().id).to_string();
        let reference = match &self.source {
            Source::Reference(reference) => reference.clone(),
            Source::Snapshot(seq) => id(seq),
            Source::Merged { from, text, .. } => {
                let snapshot = self.engine.info(&id(from))?;
                return Ok(Found {
                    session: snapshot.session.clone(),
                    version: snapshot.schema_version.clone(),
                    snapshot: Some(snapshot),
                    text: Some(text.clone()),
                    migrated: false,
                });
            }
            Source::Nothing { session } => {
                return Ok(Found {
                    session: session.clone(),
                    snapshot: None,
                    text: None,
                    version: None,
                    migrated: false,
                });
            }
            Source::Beside {
                session,
                path,
                proof,
            } => {
                let text = kept_in(path, *proof).map_err(|e| pass_over(e, self.verb, session))?;
                return Ok(Found {
                    session: session.clone(),
                    snapshot: None,
                    text: Some(text),
                    version: None,
                    migrated: false,
                });
            }
        };
        let restored = self.engine.restore(&reference).map_err(|error| {
            let Some(seen) = &self.seen else {
                return error;
            };
            match error.kind() {
                ErrorKind::NotFound => {
                    let error = error.context("what stood there before was deleted");
                    pass_over(error, self.verb, &seen.session)
                }
                ErrorKind::Damaged => pass_over(error, self.verb, &seen.session),
                _ => error,
            }
        })?;
        let snapshot = restored.snapshot().clone();
        let session = snapshot.session.clone();
        let migrated = match self.migrate.then(|| restored.current()).transpose()? {
            Some(Cow::Owned(text)) => Some(text),
            _ => None,
        };
        let newest = self.engine.migrations().newest(&session);
        Ok(Found {
            version: match &migrated {
                Some(_) => newest.map(str::to_owned),
                None => snapshot.schema_version.clone(),
            },
            migrated: migrated.is_some(),
            text: Some(migrated.unwrap_or_else(|| restored.into_text())),
            snapshot: Some(snapshot),
            session,
        })
    }

    fn refuse_own(&self, path: &Path) -> Result<()> {
        if self.engine.owns(path) {
            return Err(Error::invalid(format!(
                "{} belongs to the store itself; choose another file",
                path.display()
            )));
        }
        Ok(())
    }

    /// Puts the state back, reads the target again and compares.
    ///
    /// What stood at the target is kept first: JSON as a snapshot of kind `safety`, anything else as a
    /// file beside it. Where a step fails, or what is read back is something else, what stood there is
    /// put back. Whatever happened stands in the session's [log](Engine::log), and can be
    /// [undone](Engine::undo).
    ///
    /// # Errors
    /// As [`plan`](Restore::plan) and [`Save::commit`](crate::Save::commit); `Conflict` where the
    /// target changed in between or, of an undo or redo, something else was done to the session since it
    /// was prepared; `Locked` where it is to become the newest state of a session that another program has open.
    /// After an error the target is as it was, unless the message says that
    /// it could not be put back.
    pub fn apply(mut self) -> Result<Report> {
        self.refuse_another_turn()?;
        let plan = self.plan()?;
        self.engine.allow(self.action(), Some(&plan.session))?;
        if matches!(self.aim, Aim::Head) {
            self.engine.refuse_if_open_elsewhere(&plan.session)?;
            self.let_in(&plan.session)?;
        }
        let report = Report {
            plan,
            safety: None,
            kept_beside: None,
            head: None,
            no_undo: self
                .engine
                .is_read_only()
                .then(|| "the store can only be read, so the log does not know of it".to_owned()),
        };
        // Undone is undone, also where it makes no difference any more.
        let logged = self.even_if_equal || matches!(self.verb, Verb::Undo | Verb::Redo);
        let report = match &self.aim {
            _ if !report.plan.changes && !logged => Ok(report),
            Aim::NotGiven(name) => Err(not_given(name)),
            Aim::Head => self.apply_to_head(report),
            Aim::There { destination, .. } => {
                self.apply_there(&mut **destination.borrow_mut(), report)
            }
        };
        Ok(self.check_log(report?))
    }
}

/// Names the way out where an undo cannot be done any more.
pub(crate) fn pass_over(error: Error, verb: Verb, session: &str) -> Error {
    if verb == Verb::Undo {
        error.hint(format!("`undo {session} --skip` passes over it"))
    } else {
        error
    }
}

/// What is kept in a file beside, proved as far as that is known of it.
fn kept_in(path: &Path, proof: Option<(u64, Checksum)>) -> Result<Vec<u8>> {
    let shown = path.display();
    let failed = |e| Error::io(format!("what stood there was kept in {shown}"), e);
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        return Err(Error::invalid(format!(
            "what stood there was kept in {shown}, which is not a file now"
        )));
    }
    let text = std::fs::read(path).map_err(failed)?;
    if proof.is_some_and(|proof| proof != (text.len() as u64, checksum::of(&text))) {
        return Err(Error::damaged(format!(
            "what stood there was kept in {shown}, which was changed since"
        )));
    }
    Ok(text)
}

fn nothing_to_keep() -> Error {
    Error::not_found(
        "the target does not exist, so it has no other components to keep; restore the whole state \
         first, or use `snapshot show --component`",
    )
}

fn not_given(name: &str) -> Error {
    Error::invalid(format!(
        "{name} is known to the program that restored to it only: undo it there, or restore the \
         snapshot that the log names to a file"
    ))
}
