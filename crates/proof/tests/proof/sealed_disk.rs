//! The power goes, or the disk fails or is full, while encryption is turned on or off, a key is changed or a session is
//! erased: it did it or nothing of it, says which, and done again it is done.

use dalsegno::{Engine, ErrorKind, Options, Result, Secret};
use dalsegno_faults::{Disk, Fault, PowerLoss};
use dalsegno_proof::effort;
use dalsegno_proof::truth::{Truth, Verdict};
use dalsegno_proof::{STORE, on};

use crate::evening::disk_with;
use crate::sealed_flips::Sealed;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Verb {
    Encrypt,
    Decrypt,
    Rotate,
    Erase,
}

/// To all of them, each to a store of its own.
fn each(test: fn(&Turn)) {
    let sealed = Sealed::small();
    for verb in [Verb::Encrypt, Verb::Decrypt, Verb::Rotate, Verb::Erase] {
        test(&Turn::of(verb, &sealed));
    }
}

/// What it is done to, and what it says before and after.
struct Turn {
    verb: Verb,
    bytes: Vec<u8>,
    before: Truth,
    after: Truth,
    secret: Secret,
    next: Secret,
    operations: usize,
}

const ERASED: &str = "s/1";

impl Turn {
    fn of(verb: Verb, sealed: &Sealed) -> Self {
        let bytes = match verb {
            Verb::Encrypt => sealed.clear.clone(),
            _ => sealed.bytes.clone(),
        };
        let mut turn = Self {
            verb,
            bytes,
            before: sealed.truth.clone(),
            after: sealed.truth.clone(),
            secret: sealed.secret.clone(),
            next: Secret::generate().unwrap(),
            operations: 0,
        };
        let disk = turn.disk();
        disk.stop_at(usize::MAX);
        turn.run(&disk).unwrap();
        turn.operations = disk.operations();
        assert!(turn.operations > 50, "{verb:?}: {}", turn.operations);
        if verb == Verb::Erase {
            turn.after = Truth::of(&turn.opened(&disk, true).unwrap());
        }
        turn
    }

    fn disk(&self) -> Disk {
        disk_with(&[(STORE.to_owned(), self.bytes.clone())])
    }

    fn options(&self, disk: &Disk, after: bool) -> Options {
        let secret = match (self.verb, after) {
            (Verb::Encrypt, false) | (Verb::Decrypt, true) => return on(disk),
            (Verb::Rotate, true) => &self.next,
            _ => &self.secret,
        };
        on(disk).secret(secret.clone())
    }

    fn opened(&self, disk: &Disk, after: bool) -> Result<Engine> {
        self.options(disk, after).open(STORE)
    }

    fn run(&self, disk: &Disk) -> Result<()> {
        match self.verb {
            Verb::Encrypt => {
                let options = self.options(disk, false);
                options
                    .encrypt(STORE, &self.secret, None, &mut |_| {})
                    .map(drop)
            }
            Verb::Decrypt => {
                let options = self.options(disk, false);
                options.decrypt(STORE, &mut |_| {}).map(drop)
            }
            Verb::Rotate => {
                let engine = self.opened(disk, false)?;
                engine.rotate_key(&self.secret, &self.next, None)?;
                engine.close()
            }
            Verb::Erase => {
                let engine = self.opened(disk, false)?;
                engine.erase_session(ERASED)?;
                engine.close()
            }
        }
    }

    /// Whether it was done; the store is as it was before, or as it is to be.
    fn is_done(&self, disk: &Disk, place: &str) -> bool {
        let done = match self.verb {
            Verb::Erase => {
                let engine = self.opened(disk, true).unwrap();
                let sessions = engine.sessions().unwrap();
                let done = !sessions.iter().any(|name| name == ERASED);
                assert_eq!(engine.is_erased(ERASED).unwrap(), done, "{place}");
                done
            }
            _ => match self.opened(disk, true) {
                Ok(_) => true,
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::WrongKey, "{place}: {error}");
                    false
                }
            },
        };
        let copy = disk.crash(PowerLoss::Kept);
        let truth = if done { &self.after } else { &self.before };
        let verdict = truth.judge(self.opened(&copy, done));
        assert_eq!(verdict, Ok(Verdict::Harmless), "{place}");
        done
    }

    /// Does it again, to the end, and looks that no page is left from before.
    fn again(&self, disk: &Disk, done: bool, place: &str) {
        let again = match self.verb {
            Verb::Rotate if done => self.opened(disk, true).and_then(|engine| engine.wipe()),
            _ => self.run(disk),
        };
        if let Err(error) = again {
            let kinds = [ErrorKind::Conflict, ErrorKind::NotFound];
            assert!(done && kinds.contains(&error.kind()), "{place}: {error}");
        }
        assert!(self.is_done(disk, place), "{place}");
        let marks = disk.open(STORE).unwrap().query_row(
            "SELECT (SELECT count(*) FROM note WHERE kind = 8) + freelist_count FROM pragma_freelist_count",
            (),
            |row| row.get::<_, i64>(0),
        );
        assert_eq!(marks, Ok(0), "{place}");
    }
}

fn the_power_goes(turn: &Turn) {
    let verb = turn.verb;
    let (mut before, mut after) = (0, 0);
    for at in (0..=turn.operations).step_by(effort(41, 1)) {
        let disk = turn.disk();
        disk.stop_at(at);
        let ended = turn.run(&disk);
        for loss in [
            PowerLoss::Lost,
            PowerLoss::Kept,
            PowerLoss::Random(at as u64),
        ] {
            let found = disk.crash(loss);
            let place = format!("{verb:?}, stopped at {at} of {}, {loss:?}", turn.operations);
            let done = turn.is_done(&found, &place);
            assert!(done || ended.is_err(), "{place}: it said that it was done");
            *(if done { &mut after } else { &mut before }) += 1;
            turn.again(&found, done, &place);
        }
    }
    println!(
        "{verb:?}: {} operations: {before} before, {after} after",
        turn.operations
    );
    assert!(before > 0 && after > 0);
}

fn the_disk_fails(turn: &Turn) {
    let verb = turn.verb;
    let (mut failed, mut partly) = (0, 0);
    for (offset, fault) in [Fault::Io, Fault::Full, Fault::Torn]
        .into_iter()
        .enumerate()
    {
        for at in (offset..turn.operations).step_by(effort(47, 1)) {
            let disk = turn.disk();
            disk.fail_at(at, fault);
            let ended = turn.run(&disk);
            disk.lift_faults();
            let place = format!("{verb:?}, {fault:?} at {at} of {}", turn.operations);
            let done = turn.is_done(&disk, &place);
            if let Err(error) = &ended {
                failed += 1;
                partly += usize::from(error.is_partly_done());
                assert_eq!(error.kind(), ErrorKind::Storage, "{place}: {error}");
                assert_eq!(error.is_partly_done(), done, "{place}: {error}");
            }
            assert!(done || ended.is_err(), "{place}: it said that it was done");
            turn.again(&disk, done, &place);
        }
    }
    println!("{verb:?}: {failed} failed, {partly} of them partly done");
    assert!(failed > 5 && partly > 0);
}

#[test]
fn the_power_goes_at_every_operation() {
    each(the_power_goes);
}

#[test]
fn the_disk_fails_at_every_operation() {
    each(the_disk_fails);
}

#[test]
fn a_full_disk() {
    each(the_disk_is_full);
}

/// A disk with too little room for it, or for the copy of the file that is made at its end.
fn the_disk_is_full(turn: &Turn) {
    let verb = turn.verb;
    let (mut refused, mut partly) = (0, 0);
    for room in (0..600_000).step_by(effort(60_000, 3_000)) {
        let disk = turn.disk();
        disk.set_capacity(disk.used() + room);
        let ended = turn.run(&disk);
        let place = format!("{verb:?}, room for {room}");
        if let Err(error) = &ended {
            refused += 1;
            partly += usize::from(error.is_partly_done());
            assert_eq!(error.kind(), ErrorKind::Storage, "{place}: {error}");
            assert!(
                error.to_string().contains("the disk is full"),
                "{place}: {error}"
            );
        }
        disk.set_capacity(None);
        let done = turn.is_done(&disk, &place);
        assert_eq!(
            done,
            ended.map_or_else(|error| error.is_partly_done(), |()| true),
            "{place}"
        );
        turn.again(&disk, done, &place);
    }
    println!("{verb:?}: {refused} refused, {partly} of them partly done");
    assert!(refused > 1, "{refused}");
}
