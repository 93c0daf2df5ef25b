//! The engine and what it is compared with: other ways to keep every state of a session.
//!
//! A contestant is one file here that implements [`Peer`], and one line in [`all`].

use std::path::Path;

use anyhow::Result;

pub mod borg;
pub mod dalsegno;
pub mod fastcdc;
pub mod files;
pub mod full_json;
pub mod git;
pub mod plain_log;
pub mod python;
pub mod sqlite;
pub mod tick;
pub mod zstd_each;
pub mod zstd_prefix;

/// A way to keep the states of one session.
///
/// The driver measures the CPU time around each call, of this process and of the processes it
/// started, so a peer may use threads and commands.
pub trait Peer {
    /// The name of the row in reports.
    fn name(&self) -> String;

    /// Keeps the next state; states are counted from 0.
    fn save(&mut self, bytes: &[u8]) -> Result<()>;

    /// Closes the store and gives the bytes of all its files. Restoring works afterwards.
    fn finish(&mut self) -> Result<u64>;

    /// What a nightly clean-up does, for those that have one: called after `finish` with steps
    /// from 0, until there is none. Restoring works between the steps.
    fn tidy(&mut self, step: usize) -> Result<Option<Tidied>> {
        let _ = step;
        Ok(None)
    }

    /// A state as it was saved, byte for byte.
    fn restore(&mut self, index: usize) -> Result<Vec<u8>>;
}

/// The outcome of one step of a clean-up.
#[derive(Debug)]
pub struct Tidied {
    /// The name of the row in reports.
    pub label: String,
    /// Bytes of all files afterwards.
    pub bytes: u64,
}

/// How to begin with a fresh, empty peer.
#[derive(Debug, Clone, Copy)]
pub struct Contestant {
    /// A short key for reports and for looking a row up.
    pub key: &'static str,
    /// Makes the peer in an empty folder.
    pub make: fn(&Path) -> Result<Box<dyn Peer>>,
    /// Starts processes for each save: left out of measures of microseconds.
    pub commands: bool,
}

/// Every contestant, in the order of the reports.
#[must_use]
pub fn all() -> Vec<Contestant> {
    let inside = |key, make| Contestant {
        key,
        make,
        commands: false,
    };
    vec![
        inside(dalsegno::KEY, dalsegno::make),
        inside(dalsegno::KEY_EACH, dalsegno::make_each),
        inside(full_json::KEY, full_json::make),
        inside(plain_log::KEY, plain_log::make),
        inside(zstd_each::KEY, zstd_each::make),
        inside(sqlite::KEY, sqlite::make),
        inside(fastcdc::KEY, fastcdc::make),
        inside(zstd_prefix::KEY, zstd_prefix::make),
        inside(zstd_prefix::KEY_LONG, zstd_prefix::make_long),
        Contestant {
            key: git::KEY,
            make: git::make,
            commands: true,
        },
    ]
}

/// The contestants that live in this process.
#[must_use]
pub fn in_process() -> Vec<Contestant> {
    all().into_iter().filter(|c| !c.commands).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::chat::ChatDay;
    use crate::workload::queue::QueueDay;
    use crate::workload::{Document, Layout};

    #[test]
    fn each_peer_restores_every_state_exactly() {
        let mut states: Vec<Vec<u8>> = QueueDay::with(1, 20, 12).map(|s| s.compact()).collect();
        states.extend(ChatDay::with(1, 4, 30, 12).map(|s| s.text(Layout::Indented)));
        for contestant in all() {
            let folder = tempfile::tempdir().expect("a folder");
            let mut peer = (contestant.make)(folder.path()).expect("starts");
            for state in &states {
                peer.save(state).expect("saves");
            }
            let bytes = peer.finish().expect("finishes");
            assert!(bytes > 0, "{} stored nothing", peer.name());
            for step in 0.. {
                for (index, state) in states.iter().enumerate() {
                    let back = peer.restore(index).expect("restores");
                    assert!(back == *state, "{} changed state {index}", peer.name());
                }
                match peer.tidy(step).expect("tidies") {
                    Some(after) => assert!(after.bytes < bytes, "{} grew", after.label),
                    None => break,
                }
            }
        }
    }
}
