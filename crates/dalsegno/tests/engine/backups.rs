//! Backups made, interrupted, damaged and restored.

use std::fs;
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use dalsegno::{
    AuditQuery, Backup, BackupKind, BackupProgress, BackupStep, Engine, ErrorKind, GRACE,
    MakeBackup, Options, Query, RestoreBackup, RestoreSession, Secret, list_backups, verify_backup,
};
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};

use crate::common::{Known, all_there, effort, state};

const SESSIONS: usize = 12;

/// A folder with a store, and one for its backups.
pub(crate) struct House {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) options: Options,
    pub(crate) known: Vec<Known>,
}

impl House {
    pub(crate) fn new(options: Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let house = Self {
            folder,
            options,
            known: Vec::new(),
        };
        drop(house.options.clone().create(house.store()).unwrap());
        house
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.folder.path().join("store.db")
    }

    pub(crate) fn backups(&self) -> PathBuf {
        self.folder.path().join("backups")
    }

    pub(crate) fn open(&self) -> Engine {
        self.options.clone().open(self.store()).unwrap()
    }

    /// Saves every session so many times.
    pub(crate) fn save(&mut self, engine: &Engine, times: std::ops::Range<usize>) {
        let mut submitted = Vec::new();
        for n in times {
            for session in 0..SESSIONS {
                let text = state(n * SESSIONS + session);
                let save = engine.save_json(&format!("bot/{session}"), text.clone());
                let ticket = save.tag(format!("round-{n}")).submit();
                submitted.push((ticket, text));
            }
        }
        for (ticket, text) in submitted {
            let snapshot = ticket.wait().unwrap();
            self.known.push(Known { snapshot, text });
        }
    }

    pub(crate) fn restored(&self, from: &Path) -> Engine {
        let into = tempfile::tempdir_in(self.folder.path()).unwrap().keep();
        let into = into.join("again.db");
        let restored = self
            .options
            .clone()
            .restore_backup(&RestoreBackup::of(from), &into, &mut go_on)
            .unwrap();
        assert!(restored.verification.is_intact() && restored.lost.is_empty());
        assert_eq!(restored.path, into);
        self.options.clone().open(into).unwrap()
    }
}

pub(crate) fn go_on(_: BackupProgress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

pub(crate) fn make(engine: &Engine, how: &MakeBackup) -> Backup {
    let made = engine.back_up(how, &mut go_on).unwrap();
    assert!(made.passed_over.is_empty(), "{:?}", made.passed_over);
    made.backup
}

fn everything(engine: &Engine) -> String {
    let mut all = String::new();
    for session in 0..SESSIONS {
        let query = Query {
            limit: usize::MAX,
            ..Query::session(format!("bot/{session}"))
        };
        let page = engine.list(&query).unwrap();
        all += &format!("{:?}\n", page.snapshots);
        all += &format!(
            "{:?}\n",
            engine.log(&format!("bot/{session}"), 1000).unwrap()
        );
    }
    all += &format!("{:?}\n", engine.trash(None).unwrap());
    all += &format!("{:?}\n", engine.policies().unwrap());
    all += &format!("{:?}\n", engine.tombstones().unwrap());
    all
}

#[test]
fn what_is_restored_is_the_store_as_it_was() {
    for options in [
        Options::default(),
        Options::default().secret(Secret::generate().unwrap()),
    ] {
        let mut house = House::new(options);
        let engine = house.open();
        engine.audit_on().unwrap();
        house.save(&engine, 0..3);
        let gone = engine
            .save_json("bot/0", "[0]")
            .commit()
            .unwrap()
            .id
            .to_string();
        engine.delete(&[gone.as_str()], GRACE).unwrap();
        engine
            .rollback("bot/3", &dalsegno::Back::Steps(1))
            .unwrap()
            .apply()
            .unwrap();
        engine.save_json("chat/1", "[1]").commit().unwrap();
        engine.erase_session("chat/1").unwrap();
        // Loose records, and packed ones.
        engine.close().unwrap();
        let engine = house.open();
        house.save(&engine, 3..5);
        let before = everything(&engine);
        let made = make(&engine, &MakeBackup::full(house.backups()));
        assert_eq!(made.kind, BackupKind::Full);
        assert_eq!(made.sessions, SESSIONS as u64);
        assert_eq!(made.damaged_rows, 0);
        assert_eq!(made.encrypted, engine.is_encrypted());

        let again = house.restored(&made.path);
        all_there(&again, &house.known);
        assert_eq!(everything(&again), before);
        assert!(again.audit_check(None).unwrap().is_whole());
        let log = again.audit_log(&AuditQuery::default()).unwrap();
        assert_eq!(log.entries[0].action.as_str(), "restore_backup");
        let known = again.known_backups().unwrap();
        assert!(known.iter().any(|it| it.id == made.id));
        // It goes on as the store would have.
        again.save_json("bot/1", "[9]").commit().unwrap();
        assert!(again.verify(None).unwrap().is_intact());
    }
}

#[test]
fn a_backup_of_what_changed_needs_those_before_it() {
    let mut house = House::new(Options::default());
    let engine = house.open();
    house.save(&engine, 0..400);
    engine.close().unwrap();
    let engine = house.open();
    let full = make(&engine, &MakeBackup::full(house.backups()));
    house.save(&engine, 400..402);
    let second = make(&engine, &MakeBackup::incremental(house.backups()));
    assert_eq!(second.kind, BackupKind::Incremental);
    assert_eq!(second.base.as_ref(), Some(&full.id));
    // Records are packed: rows go, others come.
    engine.close().unwrap();
    let engine = house.open();
    house.save(&engine, 402..404);
    let third = make(&engine, &MakeBackup::incremental(house.backups()));
    assert_eq!(third.base.as_ref(), Some(&second.id));
    let named = full.id[..8].to_owned();
    let differential = make(&engine, &MakeBackup::differential(house.backups(), named));
    assert_eq!(differential.needs, std::slice::from_ref(&full.id));
    assert_eq!(differential.kind, BackupKind::Differential);
    assert!(second.bytes * 10 < full.bytes * 9, "{second:?} {full:?}");
    for (backup, rounds) in [
        (&full, 400),
        (&second, 402),
        (&third, 404),
        (&differential, 404),
    ] {
        let again = house.restored(&backup.path);
        all_there(&again, &house.known[..rounds * SESSIONS]);
    }
    // The newest is the one that a folder means.
    let again = house.restored(&house.backups());
    all_there(&again, &house.known);
    assert!(
        verify_backup(house.backups(), None, &mut go_on)
            .unwrap()
            .is_whole()
    );

    fs::remove_file(&second.path).unwrap();
    let into = house.folder.path().join("other.db");
    let restore = |from: &Path| {
        let how = RestoreBackup::of(from);
        Options::default().restore_backup(&how, &into, &mut go_on)
    };
    let missing = restore(&third.path).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    assert!(missing.to_string().contains(&second.id), "{missing}");
    let check = verify_backup(house.backups(), None, &mut go_on).unwrap();
    let whole: Vec<bool> = check.archives.iter().map(|it| it.is_whole()).collect();
    assert_eq!(whole, [true, false, true]);
    // The next goes on from one that is whole.
    let made = engine
        .back_up(&MakeBackup::incremental(house.backups()), &mut go_on)
        .unwrap();
    assert_eq!(made.backup.base.as_ref(), Some(&differential.id));
}

#[test]
fn the_first_of_what_changed_is_one_of_everything() {
    let mut house = House::new(Options::default());
    let engine = house.open();
    house.save(&engine, 0..1);
    let made = make(&engine, &MakeBackup::incremental(house.backups()));
    assert_eq!((made.kind, made.base), (BackupKind::Full, None));
}

#[test]
fn one_that_is_interrupted_does_not_count_and_is_gone_on_with() {
    for options in [
        Options::default(),
        Options::default().secret(Secret::generate().unwrap()),
    ] {
        let mut house = House::new(options);
        let engine = house.open();
        house.save(&engine, 0..60);
        let how = MakeBackup::full(house.backups());
        let mut steps = 0;
        let whole = make(
            &engine,
            &MakeBackup::full(house.folder.path().join("whole.dalsegno")),
        );
        let counted = engine.back_up(&how, &mut |_| {
            steps += 1;
            ControlFlow::Continue(())
        });
        fs::remove_file(counted.unwrap().backup.path).unwrap();
        let mut found = Vec::new();
        for at in (1..steps).step_by(usize::try_from(steps).unwrap() / 12 + 1) {
            let mut step = 0;
            let error = engine
                .back_up(&how, &mut |_| {
                    step += 1;
                    if step == at {
                        ControlFlow::Break(())
                    } else {
                        ControlFlow::Continue(())
                    }
                })
                .unwrap_err();
            assert_eq!(error.to_string(), "cancelled");
            let there = list_backups(house.backups()).unwrap();
            assert!(there.complete.is_empty() && there.unreadable.is_empty());
            assert_eq!(there.unfinished.len(), 1);
        }
        let made = engine.back_up(&how, &mut go_on).unwrap();
        found.push(made.found_bytes);
        assert!(
            made.found_bytes > whole.row_bytes / 20,
            "{} of {}",
            made.found_bytes,
            whole.row_bytes
        );
        assert!(list_backups(house.backups()).unwrap().unfinished.is_empty());
        all_there(&house.restored(&made.backup.path), &house.known);

        // Where the store changed meanwhile, what is there of it is not used.
        house.save(&engine, 60..61);
        fs::remove_file(&made.backup.path).unwrap();
        let mut step = 0;
        let cancelled = engine.back_up(&how, &mut |progress| {
            step += usize::from(progress.step == BackupStep::Parity);
            if step > 0 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        cancelled.unwrap_err();
        house.save(&engine, 61..62);
        let made = engine.back_up(&how, &mut go_on).unwrap();
        all_there(&house.restored(&made.backup.path), &house.known);
    }
}

/// Overwrites so many blocks of a file of blocks, at random, with random bytes.
fn damage(path: &Path, (size, blocks): (u64, u32), count: u32, seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    let mut places: Vec<u32> = (0..blocks).collect();
    for _ in 0..count {
        let block = u64::from(places.swap_remove(random.random_range(0..places.len())));
        let length = random.random_range(1..=usize::try_from(size).unwrap());
        let at = block * size + random.random_range(0..=size - length as u64);
        let mut bytes = vec![0; length];
        random.fill_bytes(&mut bytes);
        file.write_all_at(&bytes, at).unwrap();
    }
}

#[test]
fn as_much_may_be_damaged_as_there_is_parity() {
    for seed in 0..u64::from(effort(8, 400)) {
        let options = if seed % 2 == 0 {
            Options::default()
        } else {
            Options::default().secret(Secret::generate().unwrap())
        };
        let secret = None;
        let mut house = House::new(options);
        let engine = house.open();
        house.save(&engine, 0..20);
        let percent = [5, 10, 25, 50][usize::try_from(seed % 4).unwrap()];
        let how = MakeBackup::full(house.backups()).parity(percent);
        let made = make(&engine, &how);
        assert!(
            made.parity_blocks * 100 >= made.blocks * u32::from(percent),
            "{made:?}"
        );
        let block = made.bytes / u64::from(made.blocks);
        damage(&made.path, (block, made.blocks), made.parity_blocks, seed);
        all_there(&house.restored(&made.path), &house.known);
        if seed % 2 == 0 {
            let check = verify_backup(&made.path, secret, &mut go_on).unwrap();
            assert!(check.is_whole());
            let health = check.archives[0].health.unwrap();
            assert!(
                health.damaged > 0 && health.damaged <= health.parity,
                "{health:?}"
            );
        }
    }
}

#[test]
fn what_is_lost_beyond_it_is_named_and_the_rest_restored() {
    let (mut some, mut refused) = (0, 0);
    for seed in 0..u64::from(effort(12, 400)) {
        let mut house = House::new(Options::default());
        let engine = house.open();
        house.save(&engine, 0..30);
        // Rows that need no other to be read.
        let made = make(&engine, &MakeBackup::full(house.backups()).parity(5));
        let block = made.bytes / u64::from(made.blocks);
        let more = made.parity_blocks + 1 + u32::try_from(seed % 5).unwrap();
        damage(&made.path, (block, made.blocks), more, seed);
        let into = house.folder.path().join("again.db");
        let how = RestoreBackup::of(&made.path);
        let all = Options::default().restore_backup(&how, &into, &mut go_on);
        if all.is_ok() {
            // What was overwritten said nothing.
            continue;
        }
        assert!(!into.exists());
        assert_eq!(all.unwrap_err().kind(), ErrorKind::Damaged);
        let rest = Options::default().restore_backup(&how.salvage(), &into, &mut go_on);
        let Ok(rest) = rest else {
            refused += 1;
            continue;
        };
        some += 1;
        let lost: Vec<String> = rest
            .lost
            .iter()
            .flat_map(|lost| lost.snapshots.iter().map(ToString::to_string))
            .collect();
        let repairs = rest.repairs.unwrap();
        let gone: Vec<String> = repairs.lost().iter().map(ToString::to_string).collect();
        let again = Engine::open(&into).unwrap();
        // What nothing around it could bring back stands there as damaged, and was named.
        for damage in again.verify(None).unwrap().damage {
            let named = |id: &dalsegno::SnapshotId| gone.contains(&id.to_string());
            assert!(damage.snapshots.iter().all(named), "{damage:?}");
            assert!(!damage.snapshots.is_empty(), "{damage:?}");
        }
        for Known { snapshot, text } in &house.known {
            let id = snapshot.id.to_string();
            match again.restore(&id) {
                Ok(restored) if restored.text() == text => {}
                Ok(restored) => assert!(restored.snapshot().repaired.is_some(), "{id}"),
                Err(error) => assert!(
                    lost.contains(&id)
                        || gone.contains(&id)
                        || rest
                            .lost
                            .iter()
                            .any(|it| it.sessions.contains(&snapshot.session)),
                    "{id}: {error}"
                ),
            }
        }
    }
    assert!(some > refused, "{some} {refused}");
}

#[test]
fn a_file_that_is_cut_off_is_as_good_as_what_is_left_of_it() {
    let mut house = House::new(Options::default());
    let engine = house.open();
    house.save(&engine, 0..20);
    let made = make(&engine, &MakeBackup::full(house.backups()));
    let block = made.bytes / u64::from(made.blocks);
    let file = fs::OpenOptions::new().write(true).open(&made.path).unwrap();
    file.set_len(made.bytes - u64::from(made.parity_blocks - 1) * block - 1)
        .unwrap();
    all_there(&house.restored(&made.path), &house.known);
    file.set_len(made.bytes / 2).unwrap();
    let there = list_backups(house.backups()).unwrap();
    assert!(there.complete.is_empty());
    assert_eq!(there.unreadable[0].why.kind(), ErrorKind::Damaged);
    let check = verify_backup(house.backups(), None, &mut go_on).unwrap();
    assert!(!check.is_whole());
    // It is no base for others.
    let made = make_any(&engine, &MakeBackup::incremental(house.backups()));
    assert_eq!(made.kind, BackupKind::Full);
    file.set_len(0).unwrap();
    let error = verify_backup(made.path.with_file_name("none"), None, &mut go_on).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

fn make_any(engine: &Engine, how: &MakeBackup) -> Backup {
    engine.back_up(how, &mut go_on).unwrap().backup
}

#[test]
fn what_was_erased_since_does_not_come_back() {
    for options in [
        Options::default(),
        Options::default().secret(Secret::generate().unwrap()),
    ] {
        let mut house = House::new(options);
        let engine = house.open();
        house.save(&engine, 0..2);
        let before = make(&engine, &MakeBackup::full(house.backups()));
        let erasure = engine.erase_session("bot/1").unwrap();
        let listed: Vec<_> = erasure
            .backups
            .iter()
            .map(|it| (&it.id, it.is_there))
            .collect();
        assert_eq!(listed, [(&before.id, true)]);
        make(&engine, &MakeBackup::incremental(house.backups()));

        let again = house.restored(&before.path);
        assert_eq!(
            again.list(&Query::session("bot/1")).unwrap_err().kind(),
            ErrorKind::NotFound
        );
        assert!(again.is_erased("bot/1").unwrap());
        assert_eq!(again.tombstones().unwrap(), engine.tombstones().unwrap());
        let how = RestoreSession::of(&before.path, "bot/1").named("bot/other");
        let refused = engine.restore_session(&how, &mut go_on).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Conflict);
        // One that has begun anew is another one.
        engine.save_json("bot/1", "[\"anew\"]").commit().unwrap();
        let anew = make(&engine, &MakeBackup::incremental(house.backups()));
        let again = house.restored(&anew.path);
        assert_eq!(again.restore("bot/1@latest").unwrap().text(), b"[\"anew\"]");
    }
}

#[test]
fn one_session_comes_back_into_a_store_that_is_there() {
    let mut house = House::new(Options::default());
    let engine = house.open();
    house.save(&engine, 0..6);
    let made = make(&engine, &MakeBackup::full(house.backups()));
    let of = |session: &str| -> Vec<Known> {
        let mut of = house.known.clone();
        of.retain(|it| it.snapshot.session == session);
        of
    };
    // Nothing is missing.
    let all = engine
        .restore_session(&RestoreSession::of(&made.path, "bot/2"), &mut go_on)
        .unwrap();
    assert_eq!((all.added.len(), all.present), (0, 6));
    // The newest is another one since.
    engine.save_json("bot/2", "[\"wrecked\"]").commit().unwrap();
    let back = engine
        .restore_session(&RestoreSession::of(house.backups(), "bot/2"), &mut go_on)
        .unwrap();
    assert_eq!(back.newest.checksum, of("bot/2")[5].snapshot.checksum);
    // Another store has nothing of it.
    let other = Engine::create(house.folder.path().join("other.db")).unwrap();
    let how = RestoreSession::of(&made.path, "bot/2").named("mine");
    let restored = other.restore_session(&how, &mut go_on).unwrap();
    assert_eq!(
        (restored.added.len(), restored.session.as_str()),
        (6, "mine")
    );
    for (added, known) in restored.added.iter().zip(of("bot/2")) {
        assert_eq!(
            other.restore(&added.id.to_string()).unwrap().text(),
            known.text
        );
        assert_eq!(added.tags, known.snapshot.tags);
        assert_eq!(added.created_at, known.snapshot.created_at);
    }
    let again = other.restore_session(&how, &mut go_on).unwrap();
    assert_eq!((again.added.len(), again.present), (0, 6));
    // As it was then.
    let then = of("bot/3")[2].snapshot.id.time();
    let how = RestoreSession::of(&made.path, "bot/3").at(then);
    let restored = other.restore_session(&how, &mut go_on).unwrap();
    assert!(restored.newest.id.time() >= then);
    let newest = other.restore("bot/3@latest").unwrap();
    let of_then = of("bot/3")
        .into_iter()
        .rfind(|it| it.snapshot.id.time() <= then)
        .unwrap();
    assert_eq!(newest.text(), of_then.text);
    let none = engine.restore_session(&RestoreSession::of(&made.path, "bot/99"), &mut go_on);
    assert_eq!(none.unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn a_drill_restores_the_newest_and_leaves_nothing() {
    let mut house = House::new(Options::default());
    let engine = house.open();
    house.save(&engine, 0..3);
    make(&engine, &MakeBackup::full(house.backups()));
    let scratch = house.folder.path().join("scratch");
    fs::create_dir(&scratch).unwrap();
    // As a program leaves it that was killed; in another one somebody works.
    let [left, used] = [".dalsegno-drill-0", ".dalsegno-drill-1"].map(|it| scratch.join(it));
    for folder in [&left, &used] {
        fs::create_dir(folder).unwrap();
        fs::write(folder.join("store.db"), "begun").unwrap();
    }
    let at_work = fs::File::open(&used).unwrap();
    at_work.lock().unwrap();
    let drill = Options::default()
        .drill(house.backups(), Some(&scratch), &mut go_on)
        .unwrap();
    assert!(drill.verification.is_intact());
    assert_eq!(drill.verification.snapshots, 3 * SESSIONS as u64);
    assert!(!left.exists() && used.exists());
    assert_eq!(fs::read_dir(&scratch).unwrap().count(), 1);
    let none = Options::default()
        .drill(&scratch, None, &mut go_on)
        .unwrap_err();
    assert_eq!(none.kind(), ErrorKind::NotFound);
}

#[test]
fn who_has_no_key_reads_nothing() {
    let secret = Secret::generate().unwrap();
    let mut house = House::new(Options::default().secret(secret.clone()));
    let engine = house.open();
    house.save(&engine, 0..2);
    let made = make(&engine, &MakeBackup::full(house.backups()));
    let bytes = fs::read(&made.path).unwrap();
    for word in [&b"bot/1"[..], b"Track", b"round-1", b"upcoming"] {
        assert!(!bytes.windows(word.len()).any(|it| it == word));
    }
    let into = house.folder.path().join("again.db");
    for options in [
        Options::default(),
        Options::default().secret(Secret::generate().unwrap()),
    ] {
        let refused = options.restore_backup(&RestoreBackup::of(&made.path), &into, &mut go_on);
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::WrongKey);
        assert!(!into.exists());
    }
    let refused = verify_backup(&made.path, None, &mut go_on).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::WrongKey);
    // A key that opens the store later opens its later backups.
    let other = Secret::generate().unwrap();
    engine.add_key(&other, None).unwrap();
    let later = make(&engine, &MakeBackup::incremental(house.backups()));
    house.options = Options::default().secret(other);
    all_there(&house.restored(&later.path), &house.known);
}

#[test]
fn nothing_stands_in_the_way_of_another_program() {
    let mut house = House::new(Options::default());
    let engine = house.open();
    house.save(&engine, 0..2);
    let into = house.folder.path().join("mine.dalsegno");
    fs::write(&into, "something else").unwrap();
    let taken = engine
        .back_up(&MakeBackup::full(&into), &mut go_on)
        .unwrap_err();
    assert_eq!(taken.kind(), ErrorKind::Conflict);
    assert_eq!(fs::read(&into).unwrap(), b"something else");
    let error = verify_backup(&into, None, &mut go_on).unwrap();
    assert!(!error.is_whole());
    let made = make(&engine, &MakeBackup::full(house.backups()));
    let error = Options::default()
        .restore_backup(&RestoreBackup::of(&made.path), house.store(), &mut go_on)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let how = MakeBackup::differential(house.backups(), "nothing");
    assert_eq!(
        engine.back_up(&how, &mut go_on).unwrap_err().kind(),
        ErrorKind::NotFound
    );
    let how = MakeBackup::full(house.backups()).parity(51);
    assert_eq!(
        engine.back_up(&how, &mut go_on).unwrap_err().kind(),
        ErrorKind::InvalidInput
    );
}

#[test]
fn what_was_left_before_its_first_block_is_taken_away() {
    let mut house = House::new(Options::default());
    let engine = house.open();
    house.save(&engine, 0..1);
    fs::create_dir(house.backups()).unwrap();
    let of_others = house.backups().join("film.part");
    for (name, bytes) in [
        ("store-20260101T000000.000Z-full.dalsegno.part", &b""[..]),
        ("store-20260101T000001.000Z-full.dalsegno.part", &[1; 5000]),
        ("film.part", b"not of here"),
    ] {
        fs::write(house.backups().join(name), bytes).unwrap();
    }
    assert_eq!(list_backups(house.backups()).unwrap().unfinished.len(), 2);
    make(&engine, &MakeBackup::full(house.backups()));
    let there = list_backups(house.backups()).unwrap();
    assert_eq!((there.complete.len(), there.unfinished.len()), (1, 0));
    assert_eq!(fs::read(of_others).unwrap(), b"not of here");
}

#[test]
fn a_backup_that_could_not_be_noted_is_noted_with_the_next() {
    let mut house = House::new(Options::default());
    let engine = house.open();
    house.save(&engine, 0..1);
    engine.close().unwrap();
    let before = fs::read(house.store()).unwrap();
    let engine = house.open();
    let first = make(&engine, &MakeBackup::full(house.backups()));
    engine.close().unwrap();
    // As where a program ends before it says that it made one.
    fs::write(house.store(), before).unwrap();
    let engine = house.open();
    assert_eq!(engine.known_backups().unwrap(), []);
    let second = make(&engine, &MakeBackup::incremental(house.backups()));
    let known = |engine: &Engine| -> Vec<(String, PathBuf)> {
        let known = engine.known_backups().unwrap().into_iter();
        known.map(|it| (it.id, it.path)).collect()
    };
    let of = |backup: &Backup| (backup.id.clone(), backup.path.clone());
    assert_eq!(known(&engine), [of(&first), of(&second)]);
    // One that has another name since is known by that.
    let moved = house.backups().join("moved.dalsegno");
    fs::rename(&first.path, &moved).unwrap();
    let third = make(&engine, &MakeBackup::incremental(house.backups()));
    assert_eq!(known(&engine), [(first.id, moved), of(&second), of(&third)]);
}

#[test]
fn a_block_of_another_archive_does_not_make_it_that() {
    let mut house = House::new(Options::default());
    let engine = house.open();
    house.save(&engine, 0..4);
    let made = make(&engine, &MakeBackup::full(house.backups()));
    let other = make(&engine, &MakeBackup::full(house.backups()));
    let block = usize::try_from(made.bytes / u64::from(made.blocks)).unwrap();
    let (whole, other) = (
        fs::read(&made.path).unwrap(),
        fs::read(&other.path).unwrap(),
    );
    let blocks = whole.len() / block;
    for taken in [0..1, blocks - 1..blocks, 0..2] {
        let mut bytes = whole.clone();
        let part = taken.start * block..taken.end * block;
        bytes[part.clone()].copy_from_slice(&other[part]);
        fs::write(&made.path, bytes).unwrap();
        all_there(&house.restored(&made.path), &house.known);
        let check = verify_backup(&made.path, None, &mut go_on).unwrap();
        assert_eq!(check.archives[0].backup.as_ref().unwrap().id, made.id);
    }
}

#[test]
fn many_that_make_backups_at_once_make_whole_ones_or_wait() {
    let mut house = House::new(Options::default());
    let engine = house.open();
    house.save(&engine, 0..2);
    let file = house.folder.path().join("one.dalsegno");
    for into in [house.backups(), file] {
        let made = std::thread::scope(|scope| {
            let one = || {
                let engine = house.open();
                let mut made = 0;
                for _ in 0..effort(40, 1000) {
                    match engine.back_up(&MakeBackup::full(&into), &mut go_on) {
                        Ok(it) => {
                            let secret = None;
                            let check = verify_backup(&it.backup.path, secret, &mut go_on);
                            // Of one file, the others take it away.
                            let gone = |e: &dalsegno::Error| e.kind() == ErrorKind::NotFound;
                            assert!(
                                check.as_ref().is_ok_and(|it| it.is_whole())
                                    || check.is_err_and(|e| gone(&e))
                            );
                            made += 1;
                            drop(fs::remove_file(&it.backup.path));
                        }
                        Err(error) => assert!(
                            [ErrorKind::Locked, ErrorKind::Conflict].contains(&error.kind()),
                            "{}: {error}",
                            error.kind()
                        ),
                    }
                }
                made
            };
            let all = [(); 3].map(|()| scope.spawn(one));
            all.into_iter().map(|it| it.join().unwrap()).sum::<u32>()
        });
        assert!(made > 3, "{made}");
    }
}

#[test]
fn parity_alone_is_enough_where_there_is_as_much_of_it() {
    for options in [
        Options::default(),
        Options::default().secret(Secret::generate().unwrap()),
    ] {
        let mut house = House::new(options);
        let engine = house.open();
        house.save(&engine, 0..3);
        let made = make(&engine, &MakeBackup::full(house.backups()).parity(50));
        let block = made.bytes / u64::from(made.blocks);
        let content = u64::from(made.blocks - made.parity_blocks) * block;
        let file = fs::OpenOptions::new().write(true).open(&made.path).unwrap();
        let zeroes = vec![0; usize::try_from(content).unwrap()];
        file.write_all_at(&zeroes, 0).unwrap();
        assert_eq!(list_backups(&made.path).unwrap().complete[0].id, made.id);
        all_there(&house.restored(&made.path), &house.known);
    }
}
