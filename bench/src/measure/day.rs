//! A day of saves through a contestant, and what restoring from it takes.

use anyhow::{Result, ensure};
use tempfile::TempDir;

use super::cpu::{Spent, spent};
use super::rounds::{median, middle};
use crate::peer::{Contestant, Peer, Tidied};

/// A contestant after its day.
pub struct Kept {
    /// The peer, closed and open for restoring.
    pub peer: Box<dyn Peer>,
    /// Its key.
    pub key: &'static str,
    /// Bytes of all its files after closing.
    pub bytes: u64,
    /// The mean time of a save, closing left out.
    pub save: Spent,
    /// What each save took, without what was done in between.
    pub saves: Vec<Spent>,
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
    let (taken, day) = spent(|| {
        let saves = states.iter().map(|state| Ok(spent(|| peer.save(state))?.1));
        saves.collect::<Result<Vec<Spent>>>()
    })?;
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
        saves: taken,
        close,
        tidied,
        _folder: folder,
    })
}

/// A way to have a state again.
pub struct Way<'a> {
    name: String,
    restore: Box<Restore<'a>>,
}

/// The text of a state, for ways that give one, and what it took.
type Restore<'a> = dyn FnMut(usize) -> Result<(Option<Vec<u8>>, Spent)> + 'a;

impl<'a> Way<'a> {
    /// Has the text of a state again, which is then compared with what was saved.
    pub fn text(
        name: impl Into<String>,
        mut restore: impl FnMut(usize) -> Result<Vec<u8>> + 'a,
    ) -> Self {
        Self::timed(name, move |index| spent(|| restore(index)))
    }

    /// The same, measuring itself, because not all of what it does counts.
    pub fn timed(
        name: impl Into<String>,
        mut restore: impl FnMut(usize) -> Result<(Vec<u8>, Spent)> + 'a,
    ) -> Self {
        Self {
            name: name.into(),
            restore: Box::new(move |index| {
                let (text, took) = restore(index)?;
                Ok((Some(text), took))
            }),
        }
    }

    /// Has a state again in another form.
    pub fn value<T>(
        name: impl Into<String>,
        mut restore: impl FnMut(usize) -> Result<T> + 'a,
    ) -> Self {
        Self {
            name: name.into(),
            restore: Box::new(move |index| {
                let (value, took) = spent(|| restore(index))?;
                std::hint::black_box(value);
                Ok((None, took))
            }),
        }
    }

    /// As the peer does it.
    pub fn of(kept: &'a mut Kept) -> Self {
        let peer = &mut kept.peer;
        Self::text(peer.name(), |index| peer.restore(index))
    }
}

/// CPU times to have each state again, by one way.
#[derive(Debug, Clone)]
pub struct Restores {
    /// The way's name.
    pub name: String,
    /// Microseconds for each state, in the order of the saves (each the median of its rounds).
    pub each_us: Vec<f64>,
}

impl Restores {
    /// Of the newest state.
    #[must_use]
    pub fn newest_us(&self) -> f64 {
        self.each_us.last().copied().unwrap_or_default()
    }

    /// Of the worst state.
    #[must_use]
    pub fn worst_us(&self) -> f64 {
        self.each_us.iter().copied().fold(0.0, f64::max)
    }

    /// The median of all states.
    #[must_use]
    pub fn median_us(&self) -> f64 {
        middle(self.each_us.clone())
    }
}

/// Has every state again in every way in turn, `rounds` times; texts are compared with what was
/// saved, byte for byte.
pub fn restores(ways: Vec<Way<'_>>, states: &[Vec<u8>], rounds: usize) -> Result<Vec<Restores>> {
    let mut ways = ways;
    let mut found: Vec<Restores> = ways
        .iter()
        .map(|way| Restores {
            name: way.name.clone(),
            each_us: Vec::with_capacity(states.len()),
        })
        .collect();
    for (index, state) in states.iter().enumerate() {
        let mut taken = vec![Vec::new(); ways.len()];
        for _ in 0..rounds {
            for (way, taken) in ways.iter_mut().zip(&mut taken) {
                let (text, took) = (way.restore)(index)?;
                ensure!(
                    text.is_none_or(|text| text == *state),
                    "{} changed state {index}",
                    way.name
                );
                taken.push(took);
            }
        }
        for (found, taken) in found.iter_mut().zip(&taken) {
            found.each_us.push(median(taken).cpu_us);
        }
    }
    Ok(found)
}
