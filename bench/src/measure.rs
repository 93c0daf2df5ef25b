//! The measures: one file each, named as in the list of what is to be proved.
//!
//! | id | what it compares |
//! | --- | --- |
//! | [`p1`] | bytes for a day of auto-saves |
//! | [`p2`] | CPU to turn a document into bytes |
//! | [`p3`] | 10,000 sessions in one durable tick |
//! | [`p4`] | restoring |
//! | [`p5`] | snapshots in memory to roll back to |
//! | [`p6`] | counting the messages of session files |
//! | [`p7`] | looking up among many snapshots |
//! | [`p8`] | a chat's checkpoints through Python |
//! | [`p9`] | saving as the unchanged part grows |
//! | [`diff`](mod@diff) | comparing neighbours as the unchanged part grows |
//! | [`pause`] | how long a save keeps the program's own thread while the disk is slow |
//! | [`watch`] | a folder of session files that is written to for a minute |
//! | [`players`] | the players of a bot captured, against py-sonora |
//! | [`trust`] | what encryption and the audit log cost |
//! | [`backup`] | a backup of many sessions and restoring it, against copying the file and against borg |

use anyhow::Result;

use crate::report::Findings;

pub mod backup;
pub mod cpu;
pub mod day;
pub mod diff;
pub mod forgetful;
pub mod memory;
pub mod p1;
pub mod p2;
pub mod p3;
pub mod p4;
pub mod p5;
pub mod p6;
pub mod p7;
pub mod p8;
pub mod p9;
pub mod pause;
pub mod players;
pub mod retention;
pub mod rounds;
pub mod trust;
pub mod watch;

/// How long the workloads of a run are.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// The seed of all workloads.
    pub seed: u64,
    /// Shorter workloads and fewer rounds: to see that everything runs.
    pub quick: bool,
}

impl Plan {
    /// Auto-saves of a day.
    #[must_use]
    pub const fn saves(&self) -> usize {
        if self.quick {
            48
        } else {
            crate::workload::SAVES_PER_DAY
        }
    }

    /// Messages of the chat at the end of the day.
    #[must_use]
    pub const fn messages(&self) -> usize {
        if self.quick {
            190
        } else {
            crate::workload::chat::DAY_MESSAGES
        }
    }

    /// Rounds a median is taken of.
    #[must_use]
    pub const fn rounds(&self) -> usize {
        if self.quick { 3 } else { 11 }
    }

    /// Rounds for what takes seconds.
    #[must_use]
    pub const fn few_rounds(&self) -> usize {
        if self.quick { 1 } else { 3 }
    }

    /// Rounds for each state that is restored.
    #[must_use]
    pub const fn restore_rounds(&self) -> usize {
        if self.quick { 1 } else { 5 }
    }

    /// Rounds of whole ticks.
    #[must_use]
    pub const fn tick_rounds(&self) -> usize {
        if self.quick { 1 } else { 5 }
    }

    /// Sessions of a tick.
    #[must_use]
    pub const fn sessions(&self) -> usize {
        if self.quick {
            1_000
        } else {
            crate::workload::tick::SESSIONS
        }
    }
}

/// A measure: its tables and claims, from a plan.
pub type Measure = fn(&Plan) -> Result<Findings>;

/// All measures by name, in order.
pub const ALL: [(&str, Measure); 16] = [
    ("p1", p1::run),
    ("p2", p2::run),
    ("p3", p3::run),
    ("p4", p4::run),
    ("p5", p5::run),
    ("p6", p6::run),
    ("p7", p7::run),
    ("p8", p8::run),
    ("p9", p9::run),
    ("diff", diff::run),
    ("retention", retention::run),
    ("pause", pause::run),
    ("watch", watch::run),
    ("players", players::run),
    ("trust", trust::run),
    ("backup", backup::run),
];

/// Runs a measure and notes its peak of memory in its last table.
pub fn run(measure: Measure, plan: &Plan) -> Result<Findings> {
    memory::reset_peak();
    let mut found = measure(plan)?;
    if let (Some(peak), Some(last)) = (memory::peak(), found.tables.last_mut()) {
        last.note(format!(
            "peak memory of this process, workloads included: {} MB",
            peak / 1_000_000
        ));
    }
    Ok(found)
}
