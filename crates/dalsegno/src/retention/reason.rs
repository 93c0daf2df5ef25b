//! What is decided, and why.

use std::fmt;

use jiff::SignedDuration;

use crate::duration::{self, display_duration};
use crate::guard::Overdue;
use crate::model::{Kind, SnapshotId};

/// Whether a snapshot stays.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Decision {
    /// The snapshot.
    pub id: SnapshotId,
    /// It stays; else it is to be deleted.
    pub keep: bool,
    /// Why. The first that applies, in the order of [`Reason`]'s variants.
    pub reason: Reason,
}

impl Decision {
    pub(super) fn new(id: SnapshotId, reason: Reason) -> Self {
        Self {
            id,
            keep: reason.keeps(),
            reason,
        }
    }
}

/// Why a snapshot stays or goes: for programs as JSON (`{"rule":"last","count":10}`), for people as a
/// short text (`among the last 10`).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "rule", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// Stays: it is pinned.
    Pinned,
    /// Stays: a guard snapshot, and `kinds` does not name `guard`.
    Guard,
    /// Stays: not of a kind that `kinds` names.
    OtherKind,
    /// Stays: it lacks one of `tags`.
    WithoutTag {
        /// The first tag that it lacks.
        tag: String,
    },
    /// Stays: what `SESSION@latest` means.
    Newest,
    /// Stays by `keep_last`.
    Last {
        /// The rule's number.
        count: u32,
    },
    /// Stays by `keep_hourly`.
    LastOfHour {
        /// `2026-11-20 14:00`, with its offset where the hour comes twice.
        hour: String,
    },
    /// Stays by `keep_daily`.
    LastOfDay {
        /// `2026-11-20`
        day: String,
    },
    /// Stays by `keep_weekly`.
    LastOfWeek {
        /// `2026-W47`
        week: String,
    },
    /// Stays by `keep_monthly`.
    LastOfMonth {
        /// `2026-11`
        month: String,
    },
    /// Stays: not older than `older_than`.
    Younger {
        /// The rule's age.
        #[serde(serialize_with = "duration::required::serialize")]
        than: SignedDuration,
    },
    /// Stays: a safety snapshot younger than [`SAFETY_STAYS`](super::SAFETY_STAYS).
    Safety {
        /// How long they stay.
        #[serde(serialize_with = "duration::required::serialize")]
        than: SignedDuration,
    },
    /// Stays: the newest state before a restore or rollback of the last day, to which an undo leads back.
    Undo {
        /// How long it stays for that.
        #[serde(serialize_with = "duration::required::serialize")]
        than: SignedDuration,
    },
    /// Stays: an unchanged reference that stays means its state.
    Referred,
    /// Goes: older than `older_than`, and no keep rule was asked for or counts its kind.
    Older {
        /// The rule's age.
        #[serde(serialize_with = "duration::required::serialize")]
        than: SignedDuration,
    },
    /// Goes: older than `older_than`, and no keep rule keeps it.
    OlderUnkept {
        /// The rule's age.
        #[serde(serialize_with = "duration::required::serialize")]
        than: SignedDuration,
    },
    /// Goes: a kind that keep rules do not count.
    Uncounted {
        /// Safety, or guard where `kinds` names it.
        kind: Kind,
    },
    /// Goes: no rule keeps it.
    Unkept,
    /// Goes: a guard snapshot that is older than its guard keeps them.
    OldGuard {
        /// The guard's age.
        #[serde(serialize_with = "duration::required::serialize")]
        than: SignedDuration,
    },
    /// Goes: there are more guard snapshots than the guard keeps, and another one has all that it has.
    CoveredGuard {
        /// How many the guard keeps.
        count: u32,
    },
    /// Goes: there are more guard snapshots than the guard keeps, and it is the oldest.
    ExtraGuard {
        /// How many the guard keeps.
        count: u32,
    },
}

impl From<Overdue> for Reason {
    fn from(why: Overdue) -> Self {
        match why {
            Overdue::Old(than) => Self::OldGuard { than },
            Overdue::Covered(count) => Self::CoveredGuard { count },
            Overdue::Oldest(count) => Self::ExtraGuard { count },
        }
    }
}

impl Reason {
    /// Whether it is a reason to stay.
    #[must_use]
    pub fn keeps(&self) -> bool {
        !matches!(
            self,
            Self::Older { .. }
                | Self::OlderUnkept { .. }
                | Self::Uncounted { .. }
                | Self::Unkept
                | Self::OldGuard { .. }
                | Self::CoveredGuard { .. }
                | Self::ExtraGuard { .. }
        )
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pinned => f.write_str("pinned"),
            Self::Guard => f.write_str("guards have limits of their own"),
            Self::OtherKind => f.write_str("of another kind"),
            Self::WithoutTag { tag } => write!(f, "without the tag {tag}"),
            Self::Newest => f.write_str("the newest state"),
            Self::Last { count: 1 } => f.write_str("the last one"),
            Self::Last { count } => write!(f, "among the last {count}"),
            Self::LastOfHour { hour } => write!(f, "last of the hour {hour}"),
            Self::LastOfDay { day } => write!(f, "last of {day}"),
            Self::LastOfWeek { week } => write!(f, "last of week {week}"),
            Self::LastOfMonth { month } => write!(f, "last of {month}"),
            Self::Younger { than } => write!(f, "younger than {}", display_duration(*than)),
            Self::Safety { than } => {
                write!(
                    f,
                    "safety snapshot younger than {}",
                    display_duration(*than)
                )
            }
            Self::Undo { than } => write!(
                f,
                "an undo of what was done less than {} ago leads back to it",
                display_duration(*than)
            ),
            Self::Referred => f.write_str("a later snapshot that stays refers to it"),
            Self::Older { than } => write!(f, "older than {}", display_duration(*than)),
            Self::OlderUnkept { than } => {
                let than = display_duration(*than);
                write!(f, "older than {than} and kept by no rule")
            }
            Self::Uncounted { kind } => write!(f, "keep rules count no {kind} snapshots"),
            Self::Unkept => f.write_str("kept by no rule"),
            Self::OldGuard { than } => {
                write!(f, "guard snapshot older than {}", display_duration(*than))
            }
            Self::CoveredGuard { count } => {
                write!(
                    f,
                    "a guard snapshot beyond {count}, and another has all of it"
                )
            }
            Self::ExtraGuard { count } => write!(f, "the oldest guard snapshot beyond {count}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_names_the_rule_and_what_it_asked() {
        let than = SignedDuration::from_hours(168);
        for (reason, json) in [
            (Reason::Pinned, r#"{"rule":"pinned"}"#),
            (Reason::Last { count: 10 }, r#"{"rule":"last","count":10}"#),
            (
                Reason::LastOfHour {
                    hour: "2026-11-20 14:00".to_owned(),
                },
                r#"{"rule":"last_of_hour","hour":"2026-11-20 14:00"}"#,
            ),
            (
                Reason::OlderUnkept { than },
                r#"{"rule":"older_unkept","than":"7 days"}"#,
            ),
            (
                Reason::Uncounted { kind: Kind::Safety },
                r#"{"rule":"uncounted","kind":"safety"}"#,
            ),
        ] {
            assert_eq!(serde_json::to_string(&reason).unwrap(), json);
        }
        let id = SnapshotId::new(4096, &[7; 16]);
        assert_eq!(
            serde_json::to_string(&Decision::new(id, Reason::Unkept)).unwrap(),
            format!(r#"{{"id":"{id}","keep":false,"reason":{{"rule":"unkept"}}}}"#)
        );
    }
}
