//! What a power loss leaves of a disk.

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

use crate::file::{Change, File, write_at};
use crate::state::State;

/// The least that a disk writes or does not write.
const SECTOR: usize = 512;

/// How much of what was not synced survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PowerLoss {
    /// Nothing: new files are gone, deleted ones are back.
    Lost,
    /// Everything, as if only the process had died.
    Kept,
    /// A part that depends on this number alone: of each file a subset of the changes, in another
    /// order, some writes only in part; of each path any of the states it has gone through.
    Random(u64),
}

/// The disk that is found when the power is back.
pub(crate) fn after(state: &State, loss: PowerLoss) -> State {
    let mut rng = StdRng::seed_from_u64(match loss {
        PowerLoss::Random(seed) => seed,
        PowerLoss::Lost | PowerLoss::Kept => 0,
    });
    let mut found = State::default();
    for (path, states) in state.names.histories() {
        let last = states.len() - 1;
        let survivor = match loss {
            PowerLoss::Lost => 0,
            PowerLoss::Kept => last,
            PowerLoss::Random(_) => rng.random_range(0..=last),
        };
        let Some(file) = states[survivor].and_then(|id| state.get(id)) else {
            continue;
        };
        let bytes = match loss {
            PowerLoss::Lost => file.durable_bytes().to_vec(),
            PowerLoss::Kept => file.live().to_vec(),
            PowerLoss::Random(_) => survivors(file, &mut rng),
        };
        found.put(path, Some(bytes));
    }
    found
}

/// The durable bytes with a random part of the pending changes.
fn survivors(file: &File, rng: &mut StdRng) -> Vec<u8> {
    let pending = file.pending();
    let mut kept: Vec<&Change> = if rng.random_bool(0.3) {
        // The common case of real disks: all up to some moment, and perhaps half of the last.
        let until = rng.random_range(0..=pending.len());
        pending.iter().take(until).collect()
    } else {
        // From nearly nothing to nearly everything: always a half would leave untried what it
        // takes one lost or one kept write for.
        let share = [0.1, 0.5, 0.9][rng.random_range(0..3)];
        pending.iter().filter(|_| rng.random_bool(share)).collect()
    };
    if rng.random_bool(0.5) {
        kept.shuffle(rng);
    }
    let torn = [0.0, 0.2, 0.7][rng.random_range(0..3)];
    let mut bytes = file.durable_bytes().to_vec();
    for change in kept {
        match change {
            Change::Write { offset, data } if rng.random_bool(torn) => {
                tear(&mut bytes, *offset, data, rng);
            }
            change => change.apply(&mut bytes),
        }
    }
    bytes
}

/// Applies some sectors of a write.
fn tear(bytes: &mut Vec<u8>, offset: usize, data: &[u8], rng: &mut StdRng) {
    let end = offset.saturating_add(data.len());
    // The length of a file is written apart from its bytes, which read as zeros until they come.
    if rng.random_bool(0.3) && bytes.len() < end {
        bytes.resize(end, 0);
    }
    let sectors = sectors(offset, data);
    if rng.random_bool(0.5) {
        let until = rng.random_range(0..=sectors.len());
        for (offset, sector) in sectors.into_iter().take(until) {
            write_at(bytes, offset, sector);
        }
    } else {
        for (offset, sector) in sectors {
            if rng.random_bool(0.5) {
                write_at(bytes, offset, sector);
            }
        }
    }
}

/// Cuts a write where the sectors of the disk end. What is in one sector stays together.
fn sectors(mut offset: usize, mut data: &[u8]) -> Vec<(usize, &[u8])> {
    let mut sectors = Vec::new();
    while !data.is_empty() {
        let len = (SECTOR - offset % SECTOR).min(data.len());
        let (sector, rest) = data.split_at(len);
        sectors.push((offset, sector));
        offset += len;
        data = rest;
    }
    sectors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_tear_where_sectors_end() {
        let data = [7; 1100];
        let cut = sectors(500, &data);
        let cut: Vec<_> = cut.iter().map(|(at, data)| (*at, data.len())).collect();
        assert_eq!(cut, [(500, 12), (512, 512), (1024, 512), (1536, 64)]);
        assert!(sectors(500, &[]).is_empty());
    }

    #[test]
    fn a_random_loss_keeps_and_loses_and_tears() {
        let mut file = File::durable(vec![1; 4096]);
        let data = vec![2; 4096];
        file.change(Change::Write { offset: 0, data });
        let (mut none, mut all, mut part) = (0, 0, 0);
        for seed in 0..200 {
            let bytes = survivors(&file, &mut StdRng::seed_from_u64(seed));
            assert_eq!(bytes.len(), 4096);
            for sector in bytes.chunks(SECTOR) {
                assert!(sector.iter().all(|byte| *byte == sector[0]));
            }
            match bytes.iter().filter(|byte| **byte == 2).count() {
                0 => none += 1,
                4096 => all += 1,
                _ => part += 1,
            }
        }
        assert!(none > 20 && all > 20 && part > 20, "{none} {all} {part}");
    }

    #[test]
    fn a_seed_decides() {
        let mut file = File::default();
        for n in 0..20 {
            let data = vec![n as u8 + 1; 3000];
            let offset = n * 1000;
            file.change(Change::Write { offset, data });
        }
        let with = |seed| survivors(&file, &mut StdRng::seed_from_u64(seed));
        assert_eq!(with(3), with(3));
        assert!((0..20).any(|seed| with(seed) != with(3)));
    }
}
