//! Every byte of a small closed store is changed, one at a time: harmless, or reported; never wrong.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Instant;

use dalsegno_faults::{Disk, PowerLoss};
use dalsegno_proof::house::{House, furnish, leave};
use dalsegno_proof::told::Told;
use dalsegno_proof::truth::{Truth, Verdict};
use dalsegno_proof::{STORE, effort, on};

use crate::evening::{disk_with, files};

/// Three sessions with blocks and loose records, names, unchanged saves, restores, rollbacks, undos, a trash,
/// records without a snapshot of their own, pins, policies; guards and what they kept, leases, requests, events.
pub(crate) fn small_store() -> (Vec<u8>, Truth) {
    let disk = Disk::new();
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::on(&disk, folder.path());
    house.create().unwrap();
    on(&disk).open(STORE).unwrap().audit_on().unwrap();
    furnish(&mut house, 12);
    // Whoever had it open is gone in a moment, and somebody else closes it.
    let left = leave(&disk, || files(&disk.crash(PowerLoss::Kept)));
    let disk = disk_with(&left);
    on(&disk).open(STORE).unwrap().close().unwrap();
    assert_eq!(disk.paths(), [STORE]);
    let bytes = disk.image(STORE).unwrap();
    let copy = disk_with(&[(STORE.to_owned(), bytes.clone())]);
    let engine = on(&disk).open(STORE).unwrap();
    let mut truth = Truth::of(&engine);
    truth.told = Some(Told::of(&engine, &on(&copy).open(STORE).unwrap(), folder));
    println!(
        "{} bytes, {} snapshots, {:?}",
        bytes.len(),
        truth.known.len(),
        truth.told.as_ref().unwrap().counts()
    );
    (bytes, truth)
}

/// Judges the store with these changes; what is wrong, with where it was.
fn judge(bytes: &[u8], truth: &Truth, at: usize, value: u8) -> Verdict {
    let mut bytes = bytes.to_vec();
    let was = std::mem::replace(&mut bytes[at], value);
    let disk = disk_with(&[(STORE.to_owned(), bytes)]);
    let begin = Instant::now();
    let judged = catch_unwind(AssertUnwindSafe(|| truth.judge(on(&disk).open(STORE))));
    let place = format!(
        "byte {at} (page {}, {}): {was:#x} became {value:#x}",
        at / 4096 + 1,
        at % 4096
    );
    // A store of this size answers everything in milliseconds.
    assert!(begin.elapsed().as_secs() < 20, "{place}: for ever");
    match judged {
        Ok(Ok(verdict)) => verdict,
        Ok(Err(wrong)) => panic!("{place}: {wrong}"),
        Err(_) => panic!("{place}: a panic"),
    }
}

/// Saves on top of such a change; how many saves were taken.
fn save_on(bytes: &[u8], truth: &Truth, at: usize, value: u8, sound: bool) -> usize {
    let mut bytes = bytes.to_vec();
    bytes[at] = value;
    let disk = disk_with(&[(STORE.to_owned(), bytes)]);
    let saved = truth.save_on_top(on(&disk).open(STORE), sound);
    let place = format!("byte {at} (page {}, {})", at / 4096 + 1, at % 4096);
    saved.unwrap_or_else(|wrong| panic!("{place}: {wrong}"))
}

#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) harmless: usize,
    pub(crate) reported: BTreeMap<String, usize>,
}

impl Tally {
    pub(crate) fn add(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Harmless => self.harmless += 1,
            Verdict::Closed(why) => {
                *self.reported.entry(format!("closed: {why}")).or_default() += 1
            }
            Verdict::Reported(why) => *self.reported.entry(why).or_default() += 1,
        }
    }

    pub(crate) fn join(&mut self, other: Self) {
        self.harmless += other.harmless;
        for (why, count) in other.reported {
            *self.reported.entry(why).or_default() += count;
        }
    }

    pub(crate) fn show(&self) {
        let total: usize = self.reported.values().sum();
        println!("{} harmless, {total} reported", self.harmless);
        for (why, count) in &self.reported {
            println!("{count:8} {why}");
        }
    }
}

#[test]
fn every_byte() {
    let (bytes, truth) = small_store();
    // One bit each, another at every byte; in the long run of some bytes all.
    let part = |first: usize| {
        let mut tally = Tally::default();
        for at in (first..bytes.len()).step_by(2 * effort(613, 1)) {
            let bit = 1 << (at * 5 % 8);
            tally.add(judge(&bytes, &truth, at, bytes[at] ^ bit));
            if dalsegno_proof::long() && at % 5 == 0 {
                tally.add(judge(&bytes, &truth, at, !bytes[at]));
            }
        }
        tally
    };
    let tally = thread::scope(|scope| {
        let other = scope.spawn(|| part(effort(613, 1)));
        let mut tally = part(0);
        tally.join(other.join().unwrap());
        tally
    });
    tally.show();
    assert!(tally.harmless > 0 && tally.reported.len() > 5);
}

/// The index of operations leads to each by the number of its session: of every entry, every bit.
#[test]
fn the_index_of_operations() {
    let (bytes, truth) = small_store();
    let disk = disk_with(&[(STORE.to_owned(), bytes.clone())]);
    let sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'operation_session'";
    let root = disk
        .open(STORE)
        .unwrap()
        .query_row(sql, (), |row| row.get::<_, u32>(0));
    let end = root.unwrap() as usize * 4096;
    let mut tally = Tally::default();
    for at in (end - 160..end).step_by(effort(3, 1)) {
        for bit in (0..8).step_by(effort(5, 1)) {
            tally.add(judge(&bytes, &truth, at, bytes[at] ^ (1 << bit)));
        }
    }
    tally.show();
    assert!(tally.reported.len() > 2);
}

/// One goes on saving without a look at the damage. What can be built upon is; what cannot, is not.
#[test]
fn saving_on_top_of_damage() {
    let (bytes, truth) = small_store();
    let (mut taken, mut refused) = (0, 0);
    for at in (0..bytes.len()).step_by(effort(797, 7)) {
        let saved = save_on(&bytes, &truth, at, bytes[at] ^ (1 << (at * 3 % 8)), false);
        taken += saved;
        refused += 2 * truth.sessions() - saved;
    }
    println!("{taken} taken, {refused} refused");
    assert!(taken > 50 && refused > 0);
}

/// One goes on deleting, purging and going back without a look at the damage.
#[test]
fn keeping_house_on_top_of_damage() {
    let (bytes, truth) = small_store();
    let (mut done, mut refused, mut sound) = (0, 0, 0);
    for at in (0..bytes.len()).step_by(effort(1201, 9)) {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at * 3 % 8);
        let copy = disk_with(&[(STORE.to_owned(), changed.clone())]);
        let check = copy.open(STORE).and_then(|database| {
            database.query_row("PRAGMA integrity_check", (), |row| row.get::<_, String>(0))
        });
        let whole = check.is_ok_and(|said| said == "ok");
        sound += usize::from(whole);
        let disk = disk_with(&[(STORE.to_owned(), changed)]);
        let kept = truth.keep_house_on_top(on(&disk).open(STORE), whole);
        let place = format!("byte {at} (page {}, {})", at / 4096 + 1, at % 4096);
        let kept = kept.unwrap_or_else(|wrong| panic!("{place}: {wrong}"));
        done += kept.done;
        refused += kept.refused;
    }
    println!("{done} done, {refused} refused; {sound} with a sound structure");
    assert!(done > 50 && refused > 0);
}

/// The first hundred bytes decide how all others are read: every bit of them.
#[test]
fn every_bit_of_the_header() {
    let (bytes, truth) = small_store();
    let mut tally = Tally::default();
    for at in (0..100).step_by(effort(2, 1)) {
        for bit in (0..8).step_by(effort(7, 1)) {
            tally.add(judge(&bytes, &truth, at, bytes[at] ^ (1 << bit)));
        }
    }
    tally.show();
    assert!(tally.harmless > 0 && tally.reported.len() > 5);
}

/// Names stand in their rows and in indexes: no other name is given out.
#[test]
fn every_byte_of_a_name() {
    let (bytes, truth) = small_store();
    let mut tally = Tally::default();
    let mut found = 0;
    for name in ["s/0", "s/1", "n1", "n5", "n9"] {
        for at in 0..bytes.len() - name.len() {
            if bytes[at..].starts_with(name.as_bytes()) {
                found += 1;
                for at in at..at + name.len() {
                    tally.add(judge(&bytes, &truth, at, bytes[at] ^ 1));
                    tally.add(judge(&bytes, &truth, at, bytes[at] ^ 0x80));
                    save_on(&bytes, &truth, at, bytes[at] ^ 1, true);
                }
            }
        }
    }
    tally.show();
    // The row and the index of each session and each name.
    assert!(found >= 4 + 10, "{found}");
}

/// The head of every page says what is in it.
#[test]
fn the_heads_of_all_pages() {
    let (bytes, truth) = small_store();
    let mut tally = Tally::default();
    for page in 1..bytes.len() / 4096 {
        for at in (page * 4096..page * 4096 + 24).step_by(effort(23, 1)) {
            for change in [0x01, 0x80, 0xff] {
                tally.add(judge(&bytes, &truth, at, bytes[at] ^ change));
            }
        }
    }
    tally.show();
    assert!(tally.reported.len() > 5);
}

/// A file that ends too early, or has a page of zeros.
#[test]
fn missing_pages() {
    let (bytes, truth) = small_store();
    for page in 0..bytes.len() / 4096 {
        let mut blank = bytes.clone();
        blank[page * 4096..(page + 1) * 4096].fill(0);
        for bytes in [
            blank,
            bytes[..page * 4096].to_vec(),
            bytes[..page * 4096 + 512].to_vec(),
        ] {
            let disk = disk_with(&[(STORE.to_owned(), bytes)]);
            let verdict = truth.judge(on(&disk).open(STORE));
            let verdict = verdict.unwrap_or_else(|wrong| panic!("page {}: {wrong}", page + 1));
            assert_ne!(verdict, Verdict::Harmless, "page {}", page + 1);
        }
    }
}
