//! What is done next, of all that can be done.

use dalsegno::{Engine, Query, Result};
use rand::RngExt;
use rand::rngs::StdRng;

use super::{Deed, House, guarded};

/// A deed that makes sense now, more or less: some are refused.
///
/// # Errors
/// Where the store cannot be read.
pub fn choose(house: &mut House, n: u64, rng: &mut StdRng) -> Result<Deed> {
    let engine = house.engine()?;
    let sessions = engine.sessions()?;
    let who = rng.random_range(0..3);
    let session = match sessions.len() {
        0 => "s/0".to_owned(),
        len => sessions[rng.random_range(0..len)].clone(),
    };
    let query = Query {
        limit: 60,
        ..Query::default()
    };
    let ids: Vec<String> = engine
        .list(&query)?
        .snapshots
        .iter()
        .map(|s| s.id.to_string())
        .collect();
    let one = |rng: &mut StdRng| match ids.len() {
        0 => "s/0@latest".to_owned(),
        len => ids[rng.random_range(0..len)].clone(),
    };
    let save = Deed::Save {
        who,
        n,
        name: rng.random_bool(0.2).then(|| format!("n{n}")),
    };
    if ids.len() < 30 {
        return Ok(save);
    }
    Ok(match rng.random_range(0..48) {
        0..7 => save,
        7..10 => Deed::Rollback {
            session,
            steps: rng.random_range(1..5),
        },
        10..13 => Deed::Undo(session),
        13..15 => Deed::Redo(session),
        15..19 => Deed::ToFile {
            reference: one(rng),
            file: rng.random_range(0..2),
        },
        19 => Deed::Spoil {
            file: rng.random_range(0..2),
        },
        20..24 => Deed::Delete {
            references: (0..rng.random_range(1..7)).map(|_| one(rng)).collect(),
            grace: rng.random_range(0..30),
        },
        24..26 => Deed::Undelete(from_trash(engine, rng)?),
        26..29 => Deed::Cleanup {
            session: rng.random_bool(0.3).then_some(session),
            keep_last: [0, 6, 12][rng.random_range(0..3)],
            grace: rng.random_bool(0.5).then(|| rng.random_range(0..20)),
            purge: rng.random_bool(0.5),
        },
        29..31 => Deed::Purge {
            all: rng.random_bool(0.4),
        },
        31 => Deed::Rename {
            reference: one(rng),
            name: rng.random_bool(0.7).then(|| format!("r{}", n % 7)),
        },
        32 => Deed::Tag {
            reference: one(rng),
            tag: format!("t{}", n % 3),
        },
        33 => Deed::Pin {
            reference: one(rng),
            pinned: rng.random_bool(0.4),
        },
        34 | 35 => Deed::Fork {
            reference: one(rng),
            name: format!("f/{}", n % 4),
        },
        36 => Deed::Policy {
            pattern: ["s/*", "**"][rng.random_range(0..2)].to_owned(),
            keep_last: rng.random_range(5..20),
        },
        37 => Deed::NoPolicy(["s/*", "**"][rng.random_range(0..2)].to_owned()),
        38..43 => Deed::Keep {
            who: rng.random_range(0..2),
            n: rng.random_range(0..20),
            intent: rng
                .random_bool(0.3)
                .then(|| ["clear", "undo", "a word"][rng.random_range(0..3)].to_owned()),
        },
        43 | 44 => Deed::Regain(guarded(rng.random_range(0..2))),
        45 => Deed::Guard {
            generations: rng.random_range(1..5),
        },
        46 if rng.random_bool(0.3) => Deed::NoGuard,
        _ => Deed::Close,
    })
}

fn from_trash(engine: &Engine, rng: &mut StdRng) -> Result<Vec<String>> {
    let trash = engine.trash(None)?;
    let wanted = trash.iter().filter(|_| rng.random_bool(0.3));
    Ok(wanted.map(|t| t.snapshot.id.to_string()).collect())
}
