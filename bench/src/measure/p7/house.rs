//! A store with many snapshots: one long session, and many short ones.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use anyhow::{Context, Result};
use dalsegno::clock::{Clock, SystemClock};
use dalsegno::{Engine, Kind, Options, Ticket};
use jiff::Timestamp;
use tempfile::TempDir;

use crate::measure::cpu::spent;
use crate::peer::files::bytes_below;

/// The session with half of all snapshots.
pub(super) const LONG: &str = "bench/long";

/// One of the others.
pub(super) const SHORT: &str = "bench/short/0";

/// The tag of one snapshot in twenty.
pub(super) const TAG: &str = "loud";

/// How many snapshots a short session has.
const SHORT_LENGTH: usize = 50;

/// What the store is made of.
pub(super) const NOTE: &str = "half of the snapshots are of one long session, the others of sessions \
     of 50 each (among 1000: one of 50, and 49 of 10); saved in ticks, each session once and the long \
     one as often as all others, so that the newest page is of 50 different sessions; one a second, 1 \
     in 10 manual, 1 in 20 with a tag, 1 in 1,000 with a name; states of some 60 bytes";

/// The name of a snapshot near the newest of the long session.
pub(super) fn name(n: usize) -> String {
    format!("name-{n}")
}

/// A second passes with every look.
struct Seconds(AtomicI64);

impl Clock for Seconds {
    fn now(&self) -> Timestamp {
        let second = self.0.fetch_add(1, Ordering::Relaxed);
        Timestamp::from_second(second).unwrap_or(Timestamp::MAX)
    }

    fn random(&self) -> [u8; 16] {
        SystemClock.random()
    }
}

/// A store, and what to look for in it.
pub(super) struct House {
    pub(super) engine: Engine,
    pub(super) snapshots: usize,
    /// Of a snapshot in the middle.
    pub(super) id: String,
    /// How it was built.
    pub(super) built: String,
    newest: Timestamp,
    _folder: TempDir,
}

impl House {
    pub(super) fn build(snapshots: usize) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let clock = Seconds(AtomicI64::new(1_750_000_000));
        let engine = Options::default()
            .clock(Arc::new(clock))
            .create(folder.path())?;
        let (id, took) = spent(|| {
            let id = fill(&engine, snapshots)?;
            engine.close()?;
            Ok(id)
        })?;
        let built = format!(
            "{} sessions, {:.1} MB, built in {:.1} s ({:.1} s of CPU)",
            sessions(snapshots) + 1,
            bytes_below(folder.path())? as f64 / 1e6,
            took.wall_us / 1e6,
            took.cpu_us / 1e6,
        );
        let engine = Engine::open(folder.path())?;
        let newest = engine.info(&format!("{LONG}@latest"))?.created_at;
        Ok(Self {
            engine,
            snapshots,
            id,
            built,
            newest,
            _folder: folder,
        })
    }

    /// So many snapshots before the newest.
    pub(super) fn ago(&self, snapshots: i64) -> Timestamp {
        let second = self.newest.as_second() - snapshots;
        Timestamp::from_second(second).unwrap_or(Timestamp::MIN)
    }
}

/// At least so many that the newest page has as many different ones at every size.
fn sessions(snapshots: usize) -> usize {
    (snapshots / 2 / SHORT_LENGTH).max(SHORT_LENGTH)
}

/// Gives the id of a snapshot in the middle.
fn fill(engine: &Engine, snapshots: usize) -> Result<String> {
    let sessions = sessions(snapshots);
    let mut middle = None;
    for n in (snapshots / 2 / sessions)..SHORT_LENGTH {
        let text = format!("{{\"turn\":{n}}}");
        engine.save_json(SHORT, text).kind(Kind::Auto).commit()?;
    }
    let tick = 2 * sessions;
    let mut under_way: Vec<(usize, Ticket)> = Vec::with_capacity(tick);
    for n in 0..snapshots {
        let session = if n % 2 == 1 {
            LONG.to_owned()
        } else {
            format!("bench/short/{}", n / 2 % sessions)
        };
        // Counted from the end, so that what is looked for is near it at every size.
        let left = snapshots - n;
        let text = format!("{{\"turn\":{n},\"text\":\"{}\"}}", "la ".repeat(10 + n % 7));
        let mut save = engine.save_json(&session, text);
        save = save.kind(if left % 10 == 3 {
            Kind::Manual
        } else {
            Kind::Auto
        });
        if left % 20 == 7 {
            save = save.tag(TAG);
        }
        if left % 1_000 == 501 {
            save = save.name(name(left / 1_000));
        }
        under_way.push((n, save.submit()));
        if under_way.len() == tick || n + 1 == snapshots {
            for (n, ticket) in under_way.drain(..) {
                let saved = ticket.wait()?;
                if n == snapshots / 2 {
                    middle = Some(saved.id.to_string());
                }
            }
        }
    }
    middle.context("nothing was saved")
}
