//! Principals, as the store keeps them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::rights::EVERYTHING;
use super::token::TokenHash;
use crate::codec::note;
use crate::error::{Error, Result};
use crate::model::{Permission, StoreId};
use crate::pattern;
use crate::store::{NoteRow, Row, View, notes};

/// Somebody who uses the store, or a program that does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Principal {
    /// What it is called, by which the audit log names it.
    pub name: String,
    /// What it may do. What no rule allows is denied.
    pub rules: Vec<Rule>,
    /// Since when (UTC).
    pub created_at: Timestamp,
}

/// Permissions on the sessions of a pattern.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// What may be done.
    pub permissions: Vec<Permission>,
    /// To which sessions: `bot/42`, `bot/*`; `**` for all, and for what is of no session, such as keys and rules.
    pub pattern: String,
}

impl Rule {
    /// These permissions on the sessions of `pattern`.
    pub fn new(permissions: impl Into<Vec<Permission>>, pattern: impl Into<String>) -> Self {
        Self {
            permissions: permissions.into(),
            pattern: pattern.into(),
        }
    }

    /// Every permission on everything.
    #[must_use]
    pub fn everything() -> Self {
        Self::new(Permission::ALL, EVERYTHING)
    }

    fn check(&self) -> Result<()> {
        if self.permissions.is_empty() {
            return Err(Error::invalid(format!(
                "the rule for '{}' allows nothing; leave it out",
                self.pattern.escape_debug()
            )));
        }
        if self.pattern == EVERYTHING {
            return Ok(());
        }
        pattern::check(&self.pattern, "rule")
    }

    fn rules_all(&self) -> bool {
        self.pattern == EVERYTHING && self.permissions.contains(&Permission::Admin)
    }
}

/// A rule as people write it: `read,restore=bot/*`.
impl std::str::FromStr for Rule {
    type Err = Error;

    /// # Errors
    /// `InvalidInput` where it is none; the message says how one is written.
    fn from_str(text: &str) -> Result<Self> {
        let (permissions, pattern) = text.split_once('=').ok_or_else(|| {
            Error::invalid(format!(
                "'{}' is no rule: write permissions and a pattern, such as read,restore=bot/*, or all=**",
                text.escape_debug()
            ))
        })?;
        let permissions = match permissions {
            "all" => Permission::ALL.to_vec(),
            some => some
                .split(',')
                .map(|word| word.trim().parse())
                .collect::<Result<_>>()?,
        };
        let rule = Self::new(permissions, pattern);
        rule.check()?;
        Ok(rule)
    }
}

impl std::fmt::Display for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if Permission::ALL
            .iter()
            .all(|it| self.permissions.contains(it))
        {
            return write!(f, "all={}", self.pattern);
        }
        let words: Vec<&str> = self.permissions.iter().map(|it| it.as_str()).collect();
        write!(f, "{}={}", words.join(","), self.pattern)
    }
}

/// A principal, as its note says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) name: String,
    pub(super) token: TokenHash,
    pub(super) rules: Vec<Rule>,
    /// In microseconds since 1970 (UTC).
    pub(super) since: i64,
}

impl Kept {
    pub(super) fn row(&self, id: i64, store: &StoreId) -> Result<NoteRow> {
        let detail = note::encode(self)?;
        Ok(NoteRow::new((note::PRINCIPAL, 0, id), detail, store))
    }

    pub(super) fn shown(self) -> Result<Principal> {
        let created_at = Timestamp::from_microsecond(self.since).map_err(|e| {
            Error::damaged("the time of a principal is out of range").with_source(e)
        })?;
        Ok(Principal {
            name: self.name,
            rules: self.rules,
            created_at,
        })
    }

    /// Whether it may say who may do what.
    pub(super) fn rules_all(&self) -> bool {
        self.rules.iter().any(Rule::rules_all)
    }
}

/// Refuses rules that cannot be kept.
pub(super) fn check_rules(rules: &[Rule]) -> Result<()> {
    rules.iter().try_for_each(Rule::check)
}

/// Visits every principal; what cannot be read is visited as the error that says so.
pub(super) fn each(
    view: &dyn View,
    store: &StoreId,
    visit: &mut dyn FnMut(Result<Kept>) -> Result<()>,
) -> Result<()> {
    notes::each(view, note::PRINCIPAL, &mut |row| visit(read(&row, store)))
}

pub(super) fn read(row: &NoteRow, store: &StoreId) -> Result<Kept> {
    if !row.is_intact(store) {
        return Err(Error::damaged(
            "the row of a principal is damaged: its checksum differs; remove all of them with `access reset`",
        ));
    }
    note::decode(&row.detail)
}
