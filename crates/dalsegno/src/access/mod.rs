//! Who may do what: principals, each with a token and rules.
//!
//! Where a store has none, everybody may do everything. It guards against mistakes, and serves programs that act for
//! others; whoever can write the store's file needs no permission: docs/security.md.
//!
//! What may be read is decided in one place, where the engine takes a view of the store ([`view`]); what may be
//! changed where each verb begins ([`Engine::allow`]), and once more where saves are written.

mod principal;
mod rights;
mod saves;
mod token;
mod verbs;
mod view;

use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Action;
use crate::store::{Exchange, Said, Store, View};

pub use self::principal::{Principal, Rule};
pub(crate) use self::rights::Rights;
pub(crate) use self::saves::allowed;
pub use self::token::Token;
pub(crate) use self::token::TokenHash;
use self::view::Guarded;

impl Engine {
    /// Refuses what whoever has this engine may not do to a session, or without one to the store or all of it.
    ///
    /// # Errors
    /// `Denied`; that it was denied stands in the audit log.
    pub(crate) fn allow(&self, action: Action, session: Option<&str>) -> Result<()> {
        self.allow_by(&self.rights(action)?, action, session)
    }

    /// The same of several sessions, before any of them is touched.
    pub(crate) fn allow_all<'s>(
        &self,
        action: Action,
        mut sessions: impl Iterator<Item = &'s str>,
    ) -> Result<()> {
        let rights = self.rights(action)?;
        sessions.try_for_each(|session| self.allow_by(&rights, action, Some(session)))
    }

    /// The same, where the rights are read already.
    pub(crate) fn allow_by(
        &self,
        rights: &Rights,
        action: Action,
        session: Option<&str>,
    ) -> Result<()> {
        let allowed = rights.check(action, session);
        allowed.map_err(|error| self.denied(action, session, error))
    }

    /// What whoever has this engine may do, who wants to do this.
    pub(crate) fn rights(&self, action: Action) -> Result<Rights> {
        let view = self.raw_view()?;
        let rights = Rights::read(&*view, &self.store().info().id, self.token());
        drop(view);
        rights.map_err(|error| self.denied(action, None, error))
    }

    /// What of the store whoever has this engine may see.
    ///
    /// # Errors
    /// `Denied` where the store has principals and this is none; otherwise as the store answers.
    pub(crate) fn view(&self) -> Result<Box<dyn View + '_>> {
        let view = self.raw_view()?;
        match Rights::read(&*view, &self.store().info().id, self.token()) {
            Ok(Rights::All) => Ok(view),
            Ok(rights) => Ok(Box::new(Guarded::new(self, view, rights))),
            Err(error) => {
                drop(view);
                Err(self.denied(Action::Read, None, error))
            }
        }
    }

    /// What the audit log says of something that takes no principal, in a store that has some: a program may call itself
    /// whatever it likes.
    pub(super) fn said_by_anybody(&self, action: Action) -> Said {
        let mut said = self.said(action);
        if !self.is_principal() {
            said.by.who = format!("{} (no principal)", said.by.who).into();
        }
        said
    }

    /// Says in the audit log that something was denied, as far as that can be said. Damage and such is passed on.
    pub(crate) fn denied(&self, action: Action, session: Option<&str>, error: Error) -> Error {
        if error.kind() == ErrorKind::Denied
            && !self.is_read_only()
            && !self.was_denied(action, session)
        {
            let said = self.said_by_anybody(action);
            let said = Said::denied(said.by, said.at, session);
            drop(self.store().exchange(&Exchange::default().say(said)));
        }
        error
    }
}

/// What whoever has a token of that hash is called.
pub(crate) fn name(store: &dyn Store, token: Option<&TokenHash>) -> Option<String> {
    let token = token?;
    let view = store.view().ok()?;
    match Rights::read(&*view, &store.info().id, Some(token)) {
        Ok(Rights::Of { principal, .. }) => Some(principal),
        _ => None,
    }
}
