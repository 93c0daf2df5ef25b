//! Proving that everything kept is what was saved, and naming what is not.

mod session;
mod whole;

use self::session::Walk;
use self::whole::{one_session, whole_store};
use crate::audit::AuditCheck;
use crate::damage::{self, Damage, only_damage};
use crate::engine::Engine;
use crate::error::{ErrorKind, Result};
use crate::event::Happened;
use crate::model::{Action, SnapshotId};
use crate::store::Flow;

/// What was proved, and what is damaged.
#[derive(Debug, Clone, Default, serde::Serialize)]
#[non_exhaustive]
pub struct Verification {
    /// How many sessions were looked at.
    pub sessions: u64,
    /// How many snapshots, those in the trash too.
    pub snapshots: u64,
    /// How many states were rebuilt and compared with their checksums.
    pub states: u64,
    /// The bytes of text of those states.
    pub bytes: u64,
    /// How many of the snapshots a [repair marked](crate::Repaired): they are as they are kept, but not, or not all of
    /// them, as they were saved.
    pub repaired: u64,
    /// What is not as it was written; empty if all is well.
    pub damage: Vec<Damage>,
}

impl Verification {
    /// Whether everything is as it was written: by whoever saved it, or by a repair, where it is
    /// [marked](Self::repaired).
    #[must_use]
    pub fn is_intact(&self) -> bool {
        self.damage.is_empty()
    }

    fn unless_damaged<T>(&mut self, read: Result<T>) -> Result<Option<T>> {
        damage::unless_damaged(&mut self.damage, read)
    }

    fn report(&mut self, session: Option<&str>, snapshots: Vec<SnapshotId>, message: String) {
        damage::report(&mut self.damage, session, snapshots, message);
    }
}

impl Engine {
    /// Proves every snapshot of `session`, or of the whole store and its structure: each row against
    /// its checksum, each state rebuilt and compared.
    ///
    /// # Errors
    /// `NotFound` where there is no such session; `Storage` or `Locked` where the store cannot be read
    /// at all. Damage is no error here: it is in the report.
    pub fn verify(&self, session: Option<&str>) -> Result<Verification> {
        self.verify_with(session, &mut |_| {})
    }

    /// As [`verify`](Engine::verify); `progress` hears of each session's name when it is done.
    ///
    /// # Errors
    /// As [`verify`](Engine::verify).
    pub fn verify_with(
        &self,
        session: Option<&str>,
        progress: &mut dyn FnMut(&str),
    ) -> Result<Verification> {
        if session.is_none() {
            self.allow(Action::Read, None)?;
        }
        let found = self.prove(session, progress)?;
        for damage in &found.damage {
            self.tell_damage(damage);
        }
        Ok(found)
    }

    /// Tells those who listen here. Nothing is written to what is damaged: others find it when they verify.
    pub(crate) fn tell_damage(&self, damage: &Damage) {
        let what = Happened::CorruptionDetected {
            message: damage.message.clone(),
            snapshots: damage.snapshots.clone(),
        };
        self.tell_here(damage.session.as_deref(), what);
    }

    fn prove(&self, session: Option<&str>, progress: &mut dyn FnMut(&str)) -> Result<Verification> {
        let view = self.view()?;
        let mut found = Verification::default();
        let store = &self.store().info().id;
        let sessions = match session {
            Some(name) => vec![one_session(&*view, store, name, &mut found)?],
            None => whole_store(&*view, store, &mut found)?,
        };
        for kept in sessions {
            found.sessions += 1;
            let name = kept.row.name.clone();
            let mut walk = Walk {
                view: &*view,
                store,
                found: &mut found,
                stop: &|| false,
            };
            if let Err(error) = walk.session(&kept) {
                let error = only_damage(error)?;
                found.report(Some(&name), Vec::new(), error.to_string());
            }
            progress(&name);
        }
        if session.is_none() {
            self.keys_and_log(&mut found)?;
        }
        Ok(found)
    }

    /// What is proved by keys, beside the checksums of its rows.
    fn keys_and_log(&self, found: &mut Verification) -> Result<()> {
        let keys = self.keys().map(drop);
        found.unless_damaged(keys)?;
        match self.check_log(None) {
            Ok(AuditCheck {
                broken: Some(broken),
                ..
            }) => found.report(None, Vec::new(), broken.to_string()),
            Err(error) if error.kind() != ErrorKind::NotFound => {
                found.unless_damaged(Err::<(), _>(error))?;
            }
            _ => {}
        }
        Ok(())
    }

    /// The names of all sessions, also of those whose rows are damaged, as far as they can be read.
    pub(crate) fn sessions_as_they_stand(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        let read = self.view()?.sessions(&mut |row| {
            names.push(row.name);
            Flow::Continue(())
        });
        // The look at the rest tells of it.
        read.or_else(|error| only_damage(error).map(drop))?;
        names.sort_unstable();
        Ok(names)
    }

    /// Proves one session, unless `stop` says that it is enough; nothing where it is gone.
    pub(crate) fn prove_session(
        &self,
        session: &str,
        stop: &dyn Fn() -> bool,
    ) -> Result<Verification> {
        let view = self.view()?;
        let mut found = Verification::default();
        let store = &self.store().info().id;
        let kept = match one_session(&*view, store, session, &mut found) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(found),
            kept => kept,
        };
        let walked = kept.and_then(|kept| {
            found.sessions += 1;
            let mut walk = Walk {
                view: &*view,
                store,
                found: &mut found,
                stop,
            };
            walk.session(&kept)
        });
        if let Err(error) = walked {
            let error = only_damage(error)?;
            found.report(Some(session), Vec::new(), error.to_string());
        }
        Ok(found)
    }

    /// Proves what is of no session, that nothing of one is missing, and the structure of the store.
    pub(crate) fn prove_rest(&self) -> Result<Verification> {
        let mut found = Verification::default();
        whole_store(&*self.view()?, &self.store().info().id, &mut found)?;
        self.keys_and_log(&mut found)?;
        Ok(found)
    }
}
