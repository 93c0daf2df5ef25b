//! Proof that nothing acknowledged is lost and nothing wrong is given out: what the tests here share.
//!
//! `DALSEGNO_LONG=1` tries everything; without it each test takes a sample and ends within seconds.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)] // a failing test

pub mod backups;
pub mod forge;
pub mod history;
pub mod house;
pub mod told;
pub mod traces;
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
    let tracks: Vec<_> = (n.saturating_sub(6)..n).map(|t| track(who, t)).collect();
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

/// The `n`-th track of a queue.
fn track(who: u64, n: u64) -> serde_json::Value {
    let encoded = format!("{:04}", n * 37 % 10_000).repeat(17 + (n % 3) as usize);
    serde_json::json!({
        "title": format!("Track {n} of the evening of {who}"),
        "encoded": encoded,
        "seconds": n * 7,
    })
}

/// Whether a text is one of [`state`], or one to whose queue earlier tracks came back.
pub fn is_state(text: &[u8]) -> bool {
    let Ok(mut found) = serde_json::from_slice::<serde_json::Value>(text) else {
        return false;
    };
    let numbers = found["who"].as_u64().zip(found["turn"].as_u64());
    let Some((who, n)) = numbers else {
        return false;
    };
    let whole = state(who, n);
    if whole == text {
        return true;
    }
    let tracks = found["upcoming"].take();
    let number = |it: &serde_json::Value| it["seconds"].as_u64().map(|seconds| seconds / 7);
    let right = |it: &serde_json::Value| number(it).is_some_and(|n| *it == track(who, n));
    let mut rest: serde_json::Value = serde_json::from_slice(&whole).unwrap();
    rest["upcoming"].take();
    found == rest && tracks.as_array().is_some_and(|all| all.iter().all(right))
}

/// The tracks that are in the queue of a state, by their titles.
pub fn tracks(text: &[u8]) -> std::collections::BTreeSet<String> {
    let found: serde_json::Value = serde_json::from_slice(text).unwrap();
    let all = found["upcoming"].as_array().into_iter().flatten();
    all.filter_map(|it| it["title"].as_str().map(str::to_owned))
        .collect()
}
