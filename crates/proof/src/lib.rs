//! Proof that nothing acknowledged is lost and nothing wrong is given out: what the tests here share.
//!
//! `DALSEGNO_LONG=1` tries everything; without it each test takes a sample and ends within seconds.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)] // a failing test

pub mod house;
pub mod told;
pub mod truth;
pub mod upkeep;

use dalsegno::store::SqliteOptions;
use dalsegno::{Options, Snapshot};
use dalsegno_faults::Disk;

/// Whether everything is to be tried.
pub fn long() -> bool {
    std::env::var_os("DALSEGNO_LONG").is_some()
}

/// `normal`, or `long` where everything is to be tried.
pub fn effort(normal: usize, long_run: usize) -> usize {
    if long() { long_run } else { normal }
}

/// The store's path on a simulated disk.
pub const STORE: &str = "store.db";

/// How an engine is opened on a simulated disk.
pub fn on(disk: &Disk) -> Options {
    Options::default().sqlite(SqliteOptions {
        vfs: Some(disk.vfs_name().to_owned()),
        ..SqliteOptions::default()
    })
}

/// A snapshot that was acknowledged, and the text it is of.
#[derive(Debug, Clone)]
pub struct Known {
    pub snapshot: Snapshot,
    pub text: Vec<u8>,
}

/// The `n`-th state of a session: a queue that plays on, and a note that changes now and then. The
/// states of odd sessions are indented. It says itself which one it is.
pub fn state(who: u64, n: u64) -> Vec<u8> {
    let tracks = (n.saturating_sub(6)..n).map(|track| {
        let encoded = format!("{:04}", track * 37 % 10_000).repeat(17 + (track % 3) as usize);
        serde_json::json!({
            "title": format!("Track {track} of the evening of {who}"),
            "encoded": encoded,
            "seconds": track * 7,
        })
    });
    let tracks: Vec<_> = tracks.collect();
    let state = serde_json::json!({
        "who": who,
        "turn": n,
        "volume": n / 5 * 5,
        "upcoming": tracks,
        "note": format!("é {}", "a longer note ".repeat((n / 10 % 4) as usize)),
    });
    if who % 2 == 1 {
        serde_json::to_vec_pretty(&state).unwrap()
    } else {
        serde_json::to_vec(&state).unwrap()
    }
}
