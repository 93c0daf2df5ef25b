//! As `flips`, of a store that is encrypted and opened with its key: refused, reported, or everything as it was.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Instant;

use dalsegno::{Engine, Result, Secret};
use dalsegno_faults::Disk;
use dalsegno_proof::truth::{Truth, Verdict};
use dalsegno_proof::{STORE, effort, long, on};

use crate::evening::disk_with;
use crate::flips::{Tally, small_store};

/// A closed store that is encrypted.
pub(crate) struct Sealed {
    pub(crate) bytes: Vec<u8>,
    /// The same store in clear.
    pub(crate) clear: Vec<u8>,
    pub(crate) truth: Truth,
    pub(crate) secret: Secret,
}

impl Sealed {
    pub(crate) fn small() -> Self {
        let (clear, truth) = small_store();
        let disk = disk_with(&[(STORE.to_owned(), clear.clone())]);
        let secret = Secret::generate().unwrap();
        on(&disk)
            .encrypt(STORE, &secret, Some("the first"), &mut |_| {})
            .unwrap();
        assert_eq!(disk.paths(), [STORE]);
        let bytes = disk.image(STORE).unwrap();
        let sealed = Self {
            bytes,
            clear,
            truth,
            secret,
        };
        let verdict = sealed.truth.judge(sealed.open(&disk));
        assert_eq!(
            verdict,
            Ok(Verdict::Harmless),
            "encrypted, it says the same"
        );
        sealed
    }

    pub(crate) fn open(&self, disk: &Disk) -> Result<Engine> {
        on(disk).secret(self.secret.clone()).open(STORE)
    }

    /// Judges the store as it is on that disk; `place` says what was done to it.
    pub(crate) fn judge(&self, disk: &Disk, place: &str) -> Verdict {
        let begin = Instant::now();
        let opened_without = on(disk).open(STORE).is_ok();
        assert!(!opened_without, "{place}: opens without the key");
        let judged = catch_unwind(AssertUnwindSafe(|| self.truth.judge(self.open(disk))));
        assert!(begin.elapsed().as_secs() < 20, "{place}: for ever");
        match judged {
            Ok(Ok(verdict)) => verdict,
            Ok(Err(wrong)) => panic!("{place}: {wrong}"),
            Err(_) => panic!("{place}: a panic"),
        }
    }

    fn flipped(&self, at: usize, value: u8) -> (Disk, String) {
        let mut bytes = self.bytes.clone();
        let was = std::mem::replace(&mut bytes[at], value);
        let place = format!(
            "byte {at} (page {}, {}): {was:#x} became {value:#x}",
            at / 4096 + 1,
            at % 4096
        );
        (disk_with(&[(STORE.to_owned(), bytes)]), place)
    }

    fn judge_flipped(&self, at: usize, value: u8) -> Verdict {
        let (disk, place) = self.flipped(at, value);
        self.judge(&disk, &place)
    }
}

#[test]
fn every_byte() {
    let sealed = Sealed::small();
    let part = |first: usize| {
        let mut tally = Tally::default();
        for at in (first..sealed.bytes.len()).step_by(2 * effort(797, 1)) {
            let was = sealed.bytes[at];
            tally.add(sealed.judge_flipped(at, was ^ (1 << (at * 5 % 8))));
            if long() && at % 5 == 0 {
                tally.add(sealed.judge_flipped(at, !was));
            }
        }
        tally
    };
    let tally = thread::scope(|scope| {
        let other = scope.spawn(|| part(effort(797, 1)));
        let mut tally = part(0);
        tally.join(other.join().unwrap());
        tally
    });
    tally.show();
    assert!(tally.harmless > 0 && tally.reported.len() > 5);
}

/// The first hundred bytes decide how all others are read: every bit of them.
#[test]
fn every_bit_of_the_header() {
    let sealed = Sealed::small();
    let mut tally = Tally::default();
    for at in (0..100).step_by(effort(2, 1)) {
        for bit in (0..8).step_by(effort(7, 1)) {
            tally.add(sealed.judge_flipped(at, sealed.bytes[at] ^ (1 << bit)));
        }
    }
    tally.show();
    assert!(tally.harmless > 0 && tally.reported.len() > 5);
}

/// What opens the store stands in it once: of every byte of the slot every bit, and it opens it or is refused.
#[test]
fn every_bit_of_its_key() {
    let sealed = Sealed::small();
    let label = memchr::memmem::find(&sealed.bytes, b"the first").unwrap();
    let mut tally = Tally::default();
    // Before the label stand the row's head and numbers; behind it a sum, the salt, the wrapped root and the checksum.
    for at in label - 16..label + 9 + 8 + 1 + 16 + 16 + 1 + 48 + 2 + 16 {
        for bit in (0..8).step_by(effort(3, 1)) {
            tally.add(sealed.judge_flipped(at, sealed.bytes[at] ^ (1 << bit)));
        }
    }
    tally.show();
    assert!(tally.reported.len() > 1);
}

/// One goes on saving without a look at the damage.
#[test]
fn saving_on_top_of_damage() {
    let sealed = Sealed::small();
    let (mut taken, mut refused) = (0, 0);
    for at in (0..sealed.bytes.len()).step_by(effort(2039, 7)) {
        let (disk, place) = sealed.flipped(at, sealed.bytes[at] ^ (1 << (at * 3 % 8)));
        let saved = sealed.truth.save_on_top(sealed.open(&disk), false);
        let saved = saved.unwrap_or_else(|wrong| panic!("{place}: {wrong}"));
        taken += saved;
        refused += 2 * sealed.truth.sessions() - saved;
    }
    println!("{taken} taken, {refused} refused");
    assert!(taken > 50 && refused > 0);
}

/// One goes on deleting, purging and going back without a look at the damage.
#[test]
fn keeping_house_on_top_of_damage() {
    let sealed = Sealed::small();
    let (mut done, mut refused) = (0, 0);
    for at in (0..sealed.bytes.len()).step_by(effort(2399, 9)) {
        let (disk, place) = sealed.flipped(at, sealed.bytes[at] ^ (1 << (at * 3 % 8)));
        let copy = disk_with(&[(STORE.to_owned(), disk.image(STORE).unwrap())]);
        let check = copy.open(STORE).and_then(|database| {
            database.query_row("PRAGMA integrity_check", (), |row| row.get::<_, String>(0))
        });
        let whole = check.is_ok_and(|said| said == "ok");
        let kept = sealed.truth.keep_house_on_top(sealed.open(&disk), whole);
        let kept = kept.unwrap_or_else(|wrong| panic!("{place}: {wrong}"));
        done += kept.done;
        refused += kept.refused;
    }
    println!("{done} done, {refused} refused");
    assert!(done > 50 && refused > 0);
}

/// One turns encryption on, or off, without a look at the damage: what was damaged stays so, and nothing else is.
#[test]
fn turning_it_on_and_off_on_top_of_damage() {
    let sealed = Sealed::small();
    let counts = thread::scope(|scope| {
        let off = scope.spawn(|| turn_each(&sealed, &sealed.bytes, false));
        [turn_each(&sealed, &sealed.clear, true), off.join().unwrap()]
    });
    for [done, refused] in counts {
        println!("{done} done, {refused} refused");
        assert!(done > 10 && refused > 0);
    }
}

/// How often encryption was turned on, or off, and how often that was refused.
fn turn_each(sealed: &Sealed, bytes: &[u8], to_sealed: bool) -> [usize; 2] {
    let mut counts = [0; 2];
    let options = |is_sealed: bool, disk: &Disk| match is_sealed {
        true => on(disk).secret(sealed.secret.clone()),
        false => on(disk),
    };
    for at in (0..bytes.len()).step_by(effort(4001, 9)) {
        let mut changed = bytes.to_vec();
        changed[at] ^= 1 << (at * 3 % 8);
        let place = format!("byte {at} (page {}, {})", at / 4096 + 1, at % 4096);
        let copy = || disk_with(&[(STORE.to_owned(), changed.clone())]);
        let disk = copy();
        let turned = catch_unwind(AssertUnwindSafe(|| match to_sealed {
            true => on(&disk).encrypt(STORE, &sealed.secret, None, &mut |_| {}),
            false => options(true, &disk).decrypt(STORE, &mut |_| {}),
        }));
        let turned = turned.unwrap_or_else(|_| panic!("{place}: a panic"));
        let came = turned
            .as_ref()
            .map_or_else(|e| e.is_partly_done(), |_| true);
        let was = sealed.truth.judge(options(!to_sealed, &copy()).open(STORE));
        let is = sealed
            .truth
            .judge(options(to_sealed == came, &disk).open(STORE));
        let is = is.unwrap_or_else(|wrong| panic!("{place}: {wrong}"));
        if was == Ok(Verdict::Harmless) {
            assert_eq!((is, came), (Verdict::Harmless, true), "{place}");
        }
        counts[usize::from(turned.is_err())] += 1;
    }
    counts
}
