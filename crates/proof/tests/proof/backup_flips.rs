//! Every byte of a small archive is changed, one at a time; blocks and archives are exchanged; large parts are overwritten: what is
//! restored is what was kept, or nothing is.

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::thread;
use std::time::Instant;

use dalsegno::{
    Backup, Engine, Error, ErrorKind, MakeBackup, RestoreBackup, RestoreSession, Secret,
    list_backups, verify_backup,
};
use dalsegno_proof::backups::{Kept, go_on};
use dalsegno_proof::effort;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, RngExt, SeedableRng};
use tempfile::TempDir;

/// What became of the damage.
#[derive(Default, Debug)]
struct Tally {
    exact: usize,
    refused: BTreeMap<String, usize>,
}

impl Tally {
    fn join(&mut self, other: Self) {
        self.exact += other.exact;
        for (kind, count) in other.refused {
            *self.refused.entry(kind).or_default() += count;
        }
    }
}

/// A backup of a small store, and what is in it.
struct Small {
    kept: Kept,
    backup: Backup,
    bytes: Vec<u8>,
    scratch: TempDir,
}

impl Small {
    fn new(secret: Option<Secret>, parity: u8) -> Self {
        let mut kept = Kept::new(secret, u64::from(parity));
        kept.save(12, 120);
        let how = MakeBackup::full(kept.backups()).parity(parity);
        let backup = kept.back_up(&how).unwrap().backup;
        let bytes = fs::read(&backup.path).unwrap();
        Self {
            kept,
            backup,
            bytes,
            scratch: tempfile::tempdir().unwrap(),
        }
    }

    fn clear_and_sealed(parity: u8) -> [Self; 2] {
        [None, Some(Secret::generate().unwrap())].map(|secret| Self::new(secret, parity))
    }

    /// Bytes of a block, with what stands before its content.
    fn block(&self) -> usize {
        self.bytes.len() / self.backup.blocks as usize
    }

    /// Restores what these bytes are: everything as it was, or an error and nothing.
    fn restore(&self, bytes: &[u8], place: &str) -> Result<(), Error> {
        let folder = tempfile::tempdir_in(&self.scratch).unwrap();
        let archive = folder.path().join("a.dalsegno");
        fs::write(&archive, bytes).unwrap();
        let begin = Instant::now();
        let restored = catch_unwind(AssertUnwindSafe(|| restore(&self.kept, &archive, place)));
        assert!(begin.elapsed().as_secs() < 60, "{place}: for ever");
        restored.unwrap_or_else(|_| panic!("{place}: a panic"))
    }

    /// The same, counted.
    fn try_bytes(&self, bytes: &[u8], place: &str, tally: &mut Tally) {
        match self.restore(bytes, place) {
            Ok(()) => tally.exact += 1,
            Err(error) => *tally.refused.entry(error.kind().to_string()).or_default() += 1,
        }
    }
}

/// Restores the newest backup in the folder, or the one in the archive `from`.
fn restore(kept: &Kept, from: &Path, place: &str) -> Result<(), Error> {
    let folder = tempfile::tempdir().unwrap();
    let into = folder.path().join("again.db");
    let how = RestoreBackup::of(from);
    match kept.options().restore_backup(&how, &into, &mut go_on) {
        Ok(restored) => {
            assert!(restored.lost.is_empty(), "{place}");
            let again = kept.options().open(&into).unwrap();
            kept.is_exactly(&again)
                .unwrap_or_else(|wrong| panic!("{place}: {wrong}"));
            Ok(())
        }
        Err(error) => {
            let left = fs::read_dir(folder.path()).unwrap().count();
            assert_eq!(left, 0, "{place}: something is left");
            let named = [
                ErrorKind::Damaged,
                ErrorKind::InvalidInput,
                ErrorKind::NotFound,
                ErrorKind::WrongKey,
            ];
            assert!(
                named.contains(&error.kind()),
                "{place}: {}: {error}",
                error.kind()
            );
            Err(error)
        }
    }
}

/// One bit of each byte, or all of them.
fn every_byte(parity: u8) {
    for small in Small::clear_and_sealed(parity) {
        let mut tally = Tally::default();
        let half = |first: usize| {
            let mut tally = Tally::default();
            let all = small.bytes.len();
            for at in (first..all).step_by(2 * effort(all / 60, 1)) {
                let mut bytes = small.bytes.clone();
                let value = if at % 3 == 0 {
                    !bytes[at]
                } else {
                    bytes[at] ^ (1 << (at * 5 % 8))
                };
                let was = std::mem::replace(&mut bytes[at], value);
                let place = format!("byte {at} of {all}: {was:#x} became {value:#x}");
                small.try_bytes(&bytes, &place, &mut tally);
            }
            tally
        };
        thread::scope(|scope| {
            let halves = [0, 1].map(|n| scope.spawn(move || half(n)));
            for half in halves {
                tally.join(half.join().unwrap());
            }
        });
        let (blocks, sealed) = (small.backup.blocks, small.backup.encrypted);
        println!("parity {parity}, {blocks} blocks, sealed {sealed}: {tally:?}");
        assert!(tally.exact > 0);
        // With parity, one byte is never too much.
        assert_eq!(tally.refused.is_empty(), parity > 0, "{tally:?}");
    }
}

#[test]
fn every_byte_without_parity() {
    every_byte(0);
}

#[test]
fn every_byte_with_parity() {
    every_byte(20);
}

/// Each length that a file may have been cut off to, and one that something was added to.
#[test]
fn every_length() {
    for small in Small::clear_and_sealed(20) {
        let mut tally = Tally::default();
        let all = small.bytes.len();
        for length in (0..all).step_by(effort(all / 40, 7)) {
            let place = format!("{length} of {all} bytes");
            small.try_bytes(&small.bytes[..length], &place, &mut tally);
        }
        let longer = [&small.bytes[..], &[7; 5000]].concat();
        small.restore(&longer, "longer").unwrap();
        let shifted = [&[7], &small.bytes[..]].concat();
        small.restore(&shifted, "shifted").unwrap_err();
        println!("{tally:?}");
        assert!(tally.exact > 0 && !tally.refused.is_empty());
    }
}

/// As much as there is parity is overwritten, or more.
#[test]
fn overwritten_at_random() {
    for parity in [10, 50] {
        for small in Small::clear_and_sealed(parity) {
            let mut tally = Tally::default();
            for seed in 0..effort(15, 1000) as u64 {
                let mut random = StdRng::seed_from_u64(seed);
                let mut bytes = small.bytes.clone();
                let mut blocks: Vec<usize> = (0..small.backup.blocks as usize).collect();
                blocks.shuffle(&mut random);
                let more = if seed % 3 == 0 {
                    random.random_range(1..4)
                } else {
                    0
                };
                let count = small.backup.parity_blocks as usize + more;
                for block in &blocks[..count.min(blocks.len())] {
                    let at = block * small.block();
                    let part = &mut bytes[at..at + small.block()];
                    let from = random.random_range(0..part.len());
                    let length = random.random_range(1..=part.len() - from);
                    random.fill_bytes(&mut part[from..from + length]);
                }
                let place = format!("parity {parity}, seed {seed}");
                match small.restore(&bytes, &place) {
                    Ok(()) => tally.exact += 1,
                    Err(error) => {
                        assert!(more > 0, "{place}: {error}");
                        *tally.refused.entry(error.kind().to_string()).or_default() += 1;
                    }
                }
            }
            println!("parity {parity}: {tally:?}");
        }
    }
}

/// Blocks of one archive stand in another of the same store, and in other places of the same.
#[test]
fn exchanged_blocks() {
    for parity in [0, 20] {
        for small in Small::clear_and_sealed(parity) {
            let how = MakeBackup::full(small.kept.backups()).parity(parity);
            let other = small.kept.back_up(&how).unwrap().backup;
            let other = fs::read(other.path).unwrap();
            let mut random = StdRng::seed_from_u64(7);
            let block = small.block();
            let (mut tally, blocks) = (Tally::default(), small.backup.blocks as usize);
            for n in 0..effort(30, 600) {
                let mut bytes = small.bytes.clone();
                let [to, from] = [(); 2].map(|()| random.random_range(0..blocks) * block);
                let (source, from) = match n % 3 {
                    0 => (&other, to),
                    1 => (&other, from),
                    _ => (&small.bytes, from),
                };
                let Some(there) = source.get(from..from + block) else {
                    continue;
                };
                bytes[to..to + block].copy_from_slice(there);
                let place = format!("{to} is what stood at {from}, {}", n % 3);
                small.try_bytes(&bytes, &place, &mut tally);
            }
            println!("parity {parity}: {tally:?}");
            assert_eq!(tally.refused.is_empty(), parity > 0, "{tally:?}");
        }
    }
}

/// A chain of backups in which archives of another store take the places of its own.
#[test]
fn archives_of_another_store() {
    for secret in [None, Some(Secret::generate().unwrap())] {
        let chain = |seed| {
            let mut kept = Kept::new(secret.clone(), seed);
            let mut chain: Vec<Backup> = Vec::new();
            for _ in 0..3 {
                kept.save(20, 4000);
                let made = kept.back_up(&MakeBackup::incremental(kept.backups()));
                chain.push(made.unwrap().backup);
            }
            (kept, chain)
        };
        let ((ours, own), (_theirs, others)) = (chain(1), chain(2));
        let kind = |error: Error| error.kind();
        for at in 0..3 {
            let was = fs::read(&own[at].path).unwrap();
            fs::write(&own[at].path, fs::read(&others[at].path).unwrap()).unwrap();
            let place = format!("archive {at}");
            // Which of two stores is meant is not known.
            let of_folder = RestoreBackup::of(ours.backups());
            let into = ours.folder.path().join("again.db");
            let refused = ours.options().restore_backup(&of_folder, &into, &mut go_on);
            assert_eq!(refused.map(drop).map_err(kind), Err(ErrorKind::Ambiguous));
            let mut needed = 0;
            let newest = &own[2];
            if newest.needs.contains(&own[at].id) {
                needed += 1;
                let refused = restore(&ours, &newest.path, &place).map_err(kind);
                assert_eq!(refused, Err(ErrorKind::NotFound), "{place}");
            }
            assert!(needed > 0 || at != 1, "nothing needs the one before it");
            // The next backup needs none of what is another's.
            let made = ours
                .back_up(&MakeBackup::incremental(ours.backups()))
                .unwrap();
            assert!(!made.backup.needs.contains(&others[at].id));
            restore(&ours, &made.backup.path, &place).unwrap();
            fs::remove_file(&made.backup.path).unwrap();
            fs::write(&own[at].path, was).unwrap();
            restore(&ours, &newest.path, &place).unwrap();
        }
    }
}

/// An archive of a chain is damaged beyond repair: those that need it are refused, and the others are not.
#[test]
fn a_damaged_archive_of_a_chain() {
    let mut kept = Kept::new(None, 3);
    kept.save(200, 6000);
    let full = kept
        .back_up(&MakeBackup::full(kept.backups()).parity(0))
        .unwrap()
        .backup;
    kept.save(10, 2000);
    let next = kept
        .back_up(&MakeBackup::incremental(kept.backups()))
        .unwrap()
        .backup;
    let whole = fs::read(&full.path).unwrap();
    let mut tally = Tally::default();
    for at in (0..whole.len()).step_by(whole.len() / effort(12, 2000)) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&full.path, &bytes).unwrap();
        let place = format!("byte {at}");
        let restored = restore(&kept, &next.path, &place);
        let check = verify_backup(&next.path, None, &mut go_on).unwrap();
        assert_eq!(check.is_whole(), restored.is_ok(), "{place}: {restored:?}");
        match restored {
            Ok(()) => tally.exact += 1,
            Err(error) => {
                *tally.refused.entry(error.kind().to_string()).or_default() += 1;
                // One session is refused as well, or exact.
                let other = Engine::create(kept.folder.path().join(format!("{at}.db"))).unwrap();
                for session in ["noise/0", "noise/4"] {
                    let how = RestoreSession::of(&next.path, session);
                    if let Ok(restored) = other.restore_session(&how, &mut go_on) {
                        let newest = other.restore(&format!("{session}@latest")).unwrap();
                        let last = |it: &&dalsegno_proof::Known| it.snapshot.session == session;
                        let known = kept.known.iter().rfind(last).unwrap();
                        assert_eq!(newest.text(), known.text);
                        let count = kept.known.iter().filter(last).count();
                        assert_eq!(restored.added.len(), count);
                    }
                }
            }
        }
        let there = list_backups(kept.backups()).unwrap();
        assert!(there.complete.iter().any(|it| it.path == next.path));
    }
    fs::write(&full.path, &whole).unwrap();
    restore(&kept, &next.path, "whole again").unwrap();
    println!("{tally:?}");
    assert!(!tally.refused.is_empty(), "{tally:?}");
}
