//! What whoever asks may do.

use super::principal::{self, Rule};
use super::token::TokenHash;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Action, StoreId};
use crate::pattern;
use crate::store::View;

/// The pattern that is for every session, and for what is of none.
pub(crate) const EVERYTHING: &str = "**";

/// What whoever asks may do.
pub(crate) enum Rights {
    /// The store has no principals.
    All,
    /// What these rules say.
    Of { principal: String, rules: Vec<Rule> },
}

impl Rights {
    /// Those of whoever has a token of this hash.
    ///
    /// # Errors
    /// `Denied` where the store has principals, and this is none of them.
    pub(crate) fn read(
        view: &dyn View,
        store: &StoreId,
        token: Option<&TokenHash>,
    ) -> Result<Self> {
        let (mut any, mut found, mut damaged) = (false, None, None);
        principal::each(view, store, &mut |kept| {
            any = true;
            match kept {
                Ok(kept) if Some(&kept.token) == token => found = Some(kept),
                Ok(_) => {}
                // It lets nobody in, and keeps the door closed.
                Err(error) => damaged = Some(error),
            }
            Ok(())
        })?;
        if let (None, Some(error)) = (&found, damaged) {
            return Err(error);
        }
        match (any, found, token) {
            (false, ..) => Ok(Self::All),
            (true, Some(kept), _) => Ok(Self::Of {
                principal: kept.name,
                rules: kept.rules,
            }),
            (true, None, Some(_)) => Err(denied(
                "no principal of this store has this token: it was replaced or removed; ask for a new one",
            )),
            (true, None, None) => Err(denied(
                "this store asks who you are: give the token of a principal",
            )),
        }
    }

    /// Whether it may be done to a session; without one, to the store or to all of them.
    ///
    /// # Errors
    /// `Denied` where it may not.
    pub(crate) fn check(&self, action: Action, session: Option<&str>) -> Result<()> {
        match self {
            Self::Of { principal, .. } if !self.allows(action, session) => Err(denied(format!(
                "{principal} may not do this: it takes the permission '{}' on {}",
                action.permission(),
                session.unwrap_or(EVERYTHING)
            ))),
            _ => Ok(()),
        }
    }

    /// The same, as an answer.
    pub(crate) fn allows(&self, action: Action, session: Option<&str>) -> bool {
        let Self::Of { rules, .. } = self else {
            return true;
        };
        rules.iter().any(|rule| {
            let is_for = match session {
                Some(session) => pattern::matches(&rule.pattern, session),
                None => rule.pattern == EVERYTHING,
            };
            let wanted = action.permission();
            is_for && rule.permissions.iter().any(|it| it.includes(wanted))
        })
    }

    /// Whether what is kept of a session may be seen.
    pub(crate) fn may_read(&self, session: &str) -> bool {
        self.allows(Action::Read, Some(session))
    }
}

fn denied(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Denied, message)
}
