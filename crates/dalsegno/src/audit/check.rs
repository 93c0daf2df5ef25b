//! Proving the audit log: every row is there, in order, and as it was written.

use std::fmt;

use serde::Serialize;

use super::{each, no_log};
use crate::codec::entry::{self, Entry, Outcome};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::key::Key;
use crate::model::{Action, AuditHead, StoreId};
use crate::store::NoteRow;
use crate::store::ledger;

/// What the look at the audit log found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AuditCheck {
    /// How many rows there are.
    pub rows: u64,
    /// The last one that is as it was written.
    pub head: Option<AuditHead>,
    /// Whether the rows are chained by a key that only who can open the store has. Without it, whoever can write the
    /// file can write the whole log anew, and only a head that was kept elsewhere tells.
    pub keyed: bool,
    /// Whether a head that was kept was compared.
    pub compared: bool,
    /// The first that is not as it was written.
    pub broken: Option<AuditBreak>,
}

/// What is wrong with the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AuditBreak {
    /// The number of the row.
    pub number: i64,
    /// What is wrong there.
    pub message: String,
}

impl fmt::Display for AuditBreak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "row {} of the audit log: {}", self.number, self.message)
    }
}

impl AuditCheck {
    /// Whether nothing was found.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.broken.is_none()
    }
}

impl Engine {
    /// Proves that no row of the audit log was changed, taken out, put in or moved; with a `kept`
    /// [head](Engine::audit_head), also that nothing was cut off its end since, and that it was not written anew.
    ///
    /// # Errors
    /// `NotFound` where there is no log, and none was kept; `InvalidInput` where the kept head cannot be compared,
    /// because encryption was turned on or off since.
    pub fn audit_check(&self, kept: Option<&AuditHead>) -> Result<AuditCheck> {
        self.allow(Action::AuditRead, None)?;
        self.check_log(kept)
    }

    pub(crate) fn check_log(&self, kept: Option<&AuditHead>) -> Result<AuditCheck> {
        let view = self.view()?;
        let store = &self.store().info().id;
        let mut check = Check {
            store,
            key: ledger::key(self.root(), store)?,
            kept,
            found: AuditCheck {
                rows: 0,
                head: None,
                keyed: self.root().is_some(),
                compared: false,
                broken: None,
            },
            differs: false,
        };
        each(&*view, false, &mut |row| {
            check.found.rows += 1;
            if check.found.broken.is_none() {
                check.row(&row)?;
            }
            Ok(true)
        })?;
        check.end()
    }
}

struct Check<'a> {
    store: &'a StoreId,
    key: Key,
    kept: Option<&'a AuditHead>,
    found: AuditCheck,
    /// Whether the row of the number that was kept is another one.
    differs: bool,
}

impl Check<'_> {
    fn breaks(&mut self, number: i64, message: impl Into<String>) {
        let message = message.into();
        self.found.broken = Some(AuditBreak { number, message });
    }

    fn row(&mut self, row: &NoteRow) -> Result<()> {
        let before = self.found.head;
        let expected = before.map_or(1, |head| head.number + 1);
        if row.id != expected {
            let message = missing(expected, row.id - 1);
            self.breaks(expected, message);
            return Ok(());
        }
        let Ok((link, body)) = ledger::parts(row, self.store) else {
            self.breaks(row.id, "it was changed or is damaged: its checksum differs");
            return Ok(());
        };
        let chained = before.map_or([0; 32], |head| head.link);
        if ledger::link(&self.key, row.id, &chained, &body)? != link {
            self.breaks(
                row.id,
                "it was changed, moved or put in: it is not chained to the one before",
            );
            return Ok(());
        }
        let head = AuditHead {
            number: row.id,
            link,
        };
        self.compare(&head, &entry::decode(&body)?)?;
        self.found.head = Some(head);
        Ok(())
    }

    /// Compares a row with the head that was kept, where it is the one.
    fn compare(&mut self, head: &AuditHead, entry: &Entry) -> Result<()> {
        let Some(kept) = self.kept else { return Ok(()) };
        if head.number == kept.number {
            self.found.compared = head == kept;
            self.differs = head != kept;
            return Ok(());
        }
        let turned = [Action::Encrypt, Action::Decrypt].contains(&entry.action)
            && entry.result == Outcome::Done;
        if !turned || !self.differs {
            return Ok(());
        }
        // All before it was chained anew then; it says what the end was before.
        if entry.note != Some(kept.to_string()) {
            return Err(Error::invalid(format!(
                "row {} cannot be compared with the head that was kept: encryption was turned on or off in row {}, and \
                 the rows before it were chained anew; keep a new head, of `audit head`",
                kept.number, head.number
            )));
        }
        (self.found.compared, self.differs) = (true, false);
        Ok(())
    }

    fn end(mut self) -> Result<AuditCheck> {
        if self.found.rows == 0 && self.kept.is_none() {
            return Err(no_log());
        }
        if let Some(kept) = self.kept
            && self.found.broken.is_none()
            && !self.found.compared
        {
            let next = self.found.head.map_or(1, |head| head.number + 1);
            if self.differs {
                self.breaks(
                    kept.number,
                    "it is not the one that was kept: the log was written anew",
                );
            } else {
                let message = format!("{}: they were cut off its end", missing(next, kept.number));
                self.breaks(next, message);
            }
        }
        Ok(self.found)
    }
}

fn missing(first: i64, last: i64) -> String {
    if first == last {
        format!("row {first} is missing")
    } else {
        format!("rows {first} to {last} are missing")
    }
}
