//! A day of saves through a contestant, and what restoring from it takes.

use anyhow::{Result, ensure};
use tempfile::TempDir;

use super::cpu::{Spent, spent};
use super::rounds::median;
use crate::peer::{Contestant, Peer, Tidied};

/// A contestant after its day.
pub struct Kept {
    /// The peer, closed and open for restoring.
    pub peer: Box<dyn Peer>,
    /// Its key.
    pub key: &'static str,
    /// Bytes of all its files after closing.
    pub bytes: u64,
    /// The mean CPU time of a save, closing left out.
    pub save: Spent,
    /// What closing took.
    pub close: Spent,
    /// The steps of its clean-up and what they took, for those that have one.
    pub tidied: Vec<(Tidied, Spent)>,
    _folder: TempDir,
}

/// Saves all states, one after the other; the clean-up is run when asked for.
///
/// A contestant has the process for itself during its day: it may work in other threads, and
/// their CPU time counts as its own.
pub fn keep(contestant: &Contestant, states: &[Vec<u8>], tidy: bool) -> Result<Kept> {
    let folder = tempfile::tempdir()?;
    let mut peer = (contestant.make)(folder.path())?;
    let ((), day) = spent(|| states.iter().try_for_each(|state| peer.save(state)))?;
    let (bytes, close) = spent(|| peer.finish())?;
    let mut tidied = Vec::new();
    if tidy {
        while let (Some(outcome), took) = spent(|| peer.tidy(tidied.len()))? {
            tidied.push((outcome, took));
        }
    }
    let saves = states.len().max(1) as f64;
    Ok(Kept {
        peer,
        key: contestant.key,
        bytes,
        save: Spent {
            cpu_us: day.cpu_us / saves,
            wall_us: day.wall_us / saves,
        },
        close,
        tidied,
        _folder: folder,
    })
}

/// CPU times to restore.
#[derive(Debug, Clone, Copy)]
pub struct Restores {
    /// The newest state.
    pub newest_us: f64,
    /// The worst of all states of the day (each the median of its rounds).
    pub worst_us: f64,
}

/// Restores every state from every contestant in turn, `rounds` times, and compares it with what
/// was saved.
pub fn restores(kept: &mut [Kept], states: &[Vec<u8>], rounds: usize) -> Result<Vec<Restores>> {
    let mut found = vec![
        Restores {
            newest_us: 0.0,
            worst_us: 0.0
        };
        kept.len()
    ];
    for (index, state) in states.iter().enumerate() {
        let mut taken = vec![Vec::new(); kept.len()];
        for _ in 0..rounds {
            for (one, taken) in kept.iter_mut().zip(&mut taken) {
                let (back, took) = spent(|| one.peer.restore(index))?;
                ensure!(back == *state, "{} changed a state", one.peer.name());
                taken.push(took);
            }
        }
        for (found, taken) in found.iter_mut().zip(&taken) {
            found.newest_us = median(taken).cpu_us;
            found.worst_us = found.worst_us.max(found.newest_us);
        }
    }
    Ok(found)
}
