//! Putting a state back: plan, keep what is there, write, read back.

use std::fs;
use std::path::{Path, PathBuf};

use super::plan::{Plan, Target, compare};
use crate::codec::detail::Origin;
use crate::document::component::transplant;
use crate::durable;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Kind, Snapshot};

/// A restore in preparation; [`plan`](Restore::plan) tells what it would do,
/// [`apply`](Restore::apply) does it.
#[must_use = "nothing is restored before apply()"]
pub struct Restore<'a> {
    engine: &'a Engine,
    reference: String,
    components: Vec<String>,
    target: Target,
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
}

impl<'a> Restore<'a> {
    pub(crate) fn new(engine: &'a Engine, reference: &str) -> Self {
        Self {
            engine,
            reference: reference.to_owned(),
            components: Vec::new(),
            target: Target::Head,
        }
    }

    /// Puts only this component back; the others of the target stay. May be called several times.
    pub fn component(mut self, name: impl Into<String>) -> Self {
        self.components.push(name.into());
        self
    }

    /// Puts the state into the file at `path`, which is written whole or not at all. Without it, the
    /// state becomes the newest stored state of its session, and no running program is told.
    pub fn to_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.target = Target::File(path.into());
        self
    }

    /// What [`apply`](Restore::apply) would do. Nothing is changed.
    ///
    /// # Errors
    /// As [`Engine::restore`]; `NotFound` for a component, a folder or, with components, a target
    /// that is not there; `InvalidInput` where the target can be no file, or cannot take components.
    pub fn plan(&self) -> Result<Plan> {
        let restored = self.engine.restore(&self.reference)?;
        let snapshot = restored.snapshot().clone();
        let (before, head) = match &self.target {
            Target::File(path) if self.engine.owns(path) => {
                return Err(Error::invalid(format!(
                    "{} belongs to the store itself; choose another file",
                    path.display()
                )));
            }
            Target::File(path) => (read_target(path)?, None),
            Target::Head => {
                let (newest, latest) = self.engine.newest(&snapshot.session)?;
                match latest {
                    Ok(latest) => (Some(latest.into_text()), Some(newest)),
                    // A whole state can take the place of one that is damaged.
                    Err(e) if e.kind() == ErrorKind::Damaged && self.components.is_empty() => {
                        (None, Some(newest))
                    }
                    Err(e) => return Err(e),
                }
            }
        };
        let after = if self.components.is_empty() {
            restored.into_text()
        } else {
            let target = before.as_deref().ok_or_else(|| {
                Error::not_found(
                    "the target does not exist, so it has no other components to keep; restore the \
                     whole state first, or use `snapshot show --component`",
                )
            })?;
            transplant(restored.text(), target, &self.components)?
        };
        Ok(Plan {
            components: compare(before.as_deref(), &after)?,
            changes: before.as_deref() != Some(&*after),
            snapshot,
            target: self.target.clone(),
            head,
            before,
            after,
        })
    }

    /// Puts the state back, reads the target again and compares.
    ///
    /// What stood at the target is kept first: JSON as a snapshot of kind `safety`, anything else as a
    /// file beside it.
    ///
    /// # Errors
    /// As [`plan`](Restore::plan) and [`Save::commit`](crate::Save::commit); `Conflict` where the
    /// target changed in between. After an error the target is as it was.
    pub fn apply(&self) -> Result<Report> {
        let plan = self.plan()?;
        let mut report = Report {
            plan,
            safety: None,
            kept_beside: None,
            head: None,
        };
        if !report.plan.changes {
            return Ok(report);
        }
        match self.target.clone() {
            Target::Head => report.head = Some(self.apply_to_head(&report.plan)?),
            Target::File(path) => self.apply_to_file(&path, &mut report)?,
        }
        Ok(report)
    }

    fn apply_to_head(&self, plan: &Plan) -> Result<Snapshot> {
        let from = plan.snapshot.id.seq();
        let session = &plan.snapshot.session;
        let save = if self.components.is_empty() {
            self.engine.save_again(session, from)
        } else {
            self.engine.save_json(session, plan.after.clone())
        };
        let saved = save
            .origin(Origin::Restore(from))
            .only_on(plan.head)
            .commit()?;
        let stored = self.engine.restore(&saved.id.to_string())?;
        if stored.text() == plan.after {
            Ok(saved)
        } else {
            Err(Error::storage(
                "what was restored reads back otherwise; run `verify`",
            ))
        }
    }

    fn apply_to_file(&self, path: &Path, report: &mut Report) -> Result<()> {
        let plan = &report.plan;
        if let Some(before) = &plan.before {
            let session = &plan.snapshot.session;
            let save = self
                .engine
                .save_json(session, before.clone())
                .kind(Kind::Safety);
            let reason = format!(
                "{} before {} was restored to it",
                path.display(),
                plan.snapshot.id
            );
            match save.description(reason).commit() {
                Ok(safety) => report.safety = Some(safety),
                Err(error) if error.kind() == ErrorKind::InvalidInput => {
                    report.kept_beside = Some(keep_beside(path, before, &plan.snapshot)?);
                }
                Err(error) => return Err(error.context("keeping what stands at the target")),
            }
        }
        if read_target(path)? != plan.before {
            return Err(Error::conflict(format!(
                "{} was changed by another program during the restore; it was left as it is",
                path.display()
            )));
        }
        let Err(error) = durable::write(path, &plan.after) else {
            return Ok(());
        };
        // All or nothing: what went wrong after the file was replaced is undone.
        let undone = match (&plan.before, read_target(path)) {
            (before, Ok(now)) if *before == now => Ok(()),
            (Some(before), _) => durable::write(path, before),
            (None, _) => fs::remove_file(path).map_err(|e| Error::io("removing it", e)),
        };
        Err(match undone {
            Ok(()) => error.context("the target is as it was"),
            Err(why) => error.context(format!(
                "the target could NOT be put back as it was ({why})"
            )),
        })
    }
}

/// The target's bytes, if it exists.
fn read_target(path: &Path) -> Result<Option<Vec<u8>>> {
    let shown = path.display();
    durable::real(path)?;
    match fs::metadata(path) {
        Ok(found) if found.is_file() => {
            let text = fs::read(path).map_err(|e| Error::io(format!("reading {shown}"), e))?;
            Ok(Some(text))
        }
        Ok(found) if found.is_dir() => Err(Error::invalid(format!(
            "{shown} is a folder; give the path of a file"
        ))),
        Ok(_) => Err(Error::invalid(format!("{shown} is not a regular file"))),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            let folder = durable::folder_of(path);
            if path.is_symlink() {
                Err(Error::not_found(format!(
                    "{shown} is a symbolic link that leads nowhere"
                )))
            } else if folder.is_dir() {
                Ok(None)
            } else {
                Err(Error::not_found(format!(
                    "the folder {} does not exist",
                    folder.display()
                )))
            }
        }
        Err(e) => Err(Error::io(format!("reading {shown}"), e)),
    }
}

fn keep_beside(path: &Path, before: &[u8], snapshot: &Snapshot) -> Result<PathBuf> {
    let id = snapshot.id.to_string();
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".before-{}", id.get(..18).unwrap_or(&id)));
    let mut kept = PathBuf::from(&name);
    let mut count = 1;
    // What an earlier restore kept is not overwritten, unless it is the same.
    while fs::read(&kept).is_ok_and(|there| there != before) || kept.is_dir() {
        count += 1;
        let mut numbered = name.clone();
        numbered.push(format!("-{count}"));
        kept = numbered.into();
    }
    durable::write(&kept, before)?;
    Ok(kept)
}
