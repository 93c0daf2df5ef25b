//! What can be done to a store, and what whoever does it must be allowed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// What a principal may do with the sessions of a pattern. Each of them includes reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Permission {
    /// Open sessions, save states, fork and import into them, name, tag and pin snapshots.
    Create,
    /// List, show, compare and export what is kept, and follow what happens.
    Read,
    /// Put states back: restore, roll back, undo, redo, recover.
    Restore,
    /// Delete, clean up, purge, and take out of the trash.
    Delete,
    /// Everything else: rules, keys, encryption, erasing, principals, the audit log.
    Admin,
}

impl Permission {
    /// Every permission.
    pub const ALL: [Self; 5] = [
        Self::Create,
        Self::Read,
        Self::Restore,
        Self::Delete,
        Self::Admin,
    ];

    /// The permission as users type it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Read => "read",
            Self::Restore => "restore",
            Self::Delete => "delete",
            Self::Admin => "admin",
        }
    }

    /// Whether who has it may do what asks for `other`.
    #[must_use]
    pub fn includes(self, other: Self) -> bool {
        self == other || other == Self::Read
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Permission {
    type Err = Error;

    /// # Errors
    /// `InvalidInput` for a word that is none.
    fn from_str(word: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|it| it.as_str() == word);
        found.ok_or_else(|| {
            let all = Self::ALL.map(Self::as_str).join(", ");
            Error::invalid(format!("'{word}' is no permission; there are {all}"))
        })
    }
}

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident $word:literal $permission:ident,)*) => {
        /// What was done, or was to be done.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum Action { $($(#[$doc])* $name,)* }

        impl Action {
            /// Every action, in the order of the format's codes.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The action as one lower-case word.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// What whoever does it must be allowed.
            #[must_use]
            pub fn permission(self) -> Permission {
                match self { $(Self::$name => Permission::$permission,)* }
            }
        }
    };
}

// The order is the format's: what is new comes at the end.
actions! {
    /// A state was saved.
    Save "save" Create,
    /// States were saved by themselves: all that were committed together.
    AutoSave "auto_save" Create,
    /// The fuller state was kept before a save that lost items.
    Guard "guard" Create,
    /// What stood at the target of a restore was kept.
    Safety "safety" Restore,
    /// A snapshot came in from elsewhere.
    Import "import" Create,
    /// A session began with a state of another one.
    Fork "fork" Create,
    /// A state was put back.
    Restore "restore" Restore,
    /// A session went back.
    Rollback "rollback" Restore,
    /// A restore or rollback was taken back.
    Undo "undo" Restore,
    /// It was done again.
    Redo "redo" Restore,
    /// Snapshots went to the trash.
    Delete "delete" Delete,
    /// Snapshots came back from the trash.
    Undelete "undelete" Delete,
    /// Snapshots in the trash were deleted for good.
    Purge "purge" Delete,
    /// The name, tags, texts or pin of a snapshot were changed.
    Amend "amend" Create,
    /// A session was opened.
    Open "open" Create,
    /// A session was taken from the program that had it open.
    TakeOver "take_over" Create,
    /// Something was read.
    Read "read" Read,
    /// A rule of retention was set or removed.
    Policy "policy" Admin,
    /// A rule of which lists are guarded was set or removed.
    GuardRule "guard_rule" Admin,
    /// A key of the store was added, changed or removed.
    Key "key" Admin,
    /// Encryption was turned on.
    Encrypt "encrypt" Admin,
    /// Encryption was turned off.
    Decrypt "decrypt" Admin,
    /// A session was erased.
    Erase "erase" Admin,
    /// A principal was added, changed or removed.
    Access "access" Admin,
    /// The audit log began.
    AuditOn "audit_on" Admin,
    /// The audit log was ended.
    AuditOff "audit_off" Admin,
    /// The audit log was asked for.
    AuditRead "audit_read" Admin,
    /// What was damaged was repaired.
    Repair "repair" Admin,
    /// A backup was made.
    Backup "backup" Admin,
    /// A session, or the store, was restored from a backup.
    RestoreBackup "restore_backup" Admin,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Action {
    type Err = Error;

    /// # Errors
    /// `InvalidInput` for a word that is none.
    fn from_str(word: &str) -> Result<Self> {
        let found = Self::ALL.iter().find(|it| it.as_str() == word);
        found.copied().ok_or_else(|| {
            let all: Vec<&str> = Self::ALL.iter().map(|it| it.as_str()).collect();
            Error::invalid(format!(
                "'{word}' is no action; there are {}",
                all.join(", ")
            ))
        })
    }
}
