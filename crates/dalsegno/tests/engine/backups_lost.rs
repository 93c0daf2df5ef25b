//! What backups say where something of them, or beside them, is lost or in the way.

use std::fs;
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use dalsegno::{
    Backup, BackupStep, Engine, ErrorKind, MakeBackup, Options, Query, RestoreBackup,
    RestoreSession, Secret, verify_backup,
};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::backups::{House, go_on, make};
use crate::common::{Known, all_there, memory};

/// Overwrites one block of an archive.
fn spoil(path: &Path, made: &Backup, block: u32) {
    let size = made.bytes / u64::from(made.blocks);
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    let bytes = vec![0xa5; usize::try_from(size).unwrap()];
    file.write_all_at(&bytes, u64::from(block) * size).unwrap();
}

#[test]
fn of_copies_each_is_proved_by_itself_and_a_whole_one_is_taken() {
    let mut house = House::new(Options::default());
    let engine = house.open();
    house.save(&engine, 0..60);
    let full = make(&engine, &MakeBackup::full(house.backups()).parity(0));
    house.save(&engine, 60..61);
    let next = make(&engine, &MakeBackup::incremental(house.backups()));
    assert_eq!(next.needs, std::slice::from_ref(&full.id));
    // One copy is read before it, one after it.
    let copies = ["a.dalsegno", "zz.dalsegno"].map(|name| house.backups().join(name));
    for copy in &copies {
        fs::copy(&full.path, copy).unwrap();
    }
    spoil(&full.path, &full, 1);
    for (spoilt, is_needed_whole) in [(None, true), (Some(0), true), (Some(1), false)] {
        if let Some(copy) = spoilt {
            spoil(&copies[copy], &full, 1);
        }
        let check = verify_backup(house.backups(), None, &mut go_on).unwrap();
        let whole = |path: &Path| {
            let one = check.archives.iter().find(|it| it.path == path);
            one.unwrap().is_whole()
        };
        assert!(!whole(&full.path));
        assert_eq!(whole(&copies[0]), spoilt.is_none());
        assert_eq!(whole(&copies[1]), spoilt != Some(1));
        assert_eq!(whole(&next.path), is_needed_whole);
        let alone = verify_backup(&next.path, None, &mut go_on).unwrap();
        assert_eq!(alone.is_whole(), is_needed_whole);
        if is_needed_whole {
            all_there(&house.restored(&next.path), &house.known);
            // Where one is named that is not, too.
            let three = &house.known[..house.known.len() * 60 / 61];
            all_there(&house.restored(&full.path), three);
            // Its base may be any of them.
            let how = MakeBackup::differential(house.backups(), &full.id[..8]);
            let made = make(&engine, &how);
            assert_eq!(made.base.as_deref(), Some(&*full.id));
            fs::remove_file(made.path).unwrap();
        } else {
            let into = house.folder.path().join("none.db");
            let how = RestoreBackup::of(&next.path);
            let refused = Options::default().restore_backup(&how, &into, &mut go_on);
            assert_eq!(refused.unwrap_err().kind(), ErrorKind::Damaged);
        }
    }
}

#[test]
fn what_a_damaged_later_backup_says_of_erased_ones_is_heard_or_said_to_be_lost() {
    for parity in [10, 0] {
        let mut house = House::new(Options::default());
        let engine = house.open();
        house.save(&engine, 0..2);
        let before = make(&engine, &MakeBackup::full(house.backups()));
        engine.erase_session("bot/1").unwrap();
        let how = MakeBackup::incremental(house.backups()).parity(parity);
        let later = make(&engine, &how);
        let whole = fs::read(&later.path).unwrap();
        let mut unread = 0;
        for block in 0..later.blocks {
            spoil(&later.path, &later, block);
            let into = house.folder.path().join(format!("{parity}-{block}.db"));
            let how = RestoreBackup::of(&before.path);
            let restored = Options::default().restore_backup(&how, &into, &mut go_on);
            let restored = restored.unwrap();
            let how = RestoreSession::of(&before.path, "bot/1").named("bot/other");
            let other = Options::default().on(memory());
            let one = other.restore_session(&how, &mut go_on);
            if restored.unread.is_empty() {
                assert_eq!(restored.erased, 1, "{block}");
                assert_eq!(one.unwrap_err().kind(), ErrorKind::Conflict, "{block}");
            } else {
                unread += 1;
                assert_eq!(parity, 0);
                assert!(one.is_err() || one.unwrap().unread.len() == 1, "{block}");
            }
            fs::write(&later.path, &whole).unwrap();
        }
        assert_eq!(unread > 0, parity == 0);
    }
}

#[test]
fn a_session_comes_back_as_it_was_or_is_said_to_be_lost() {
    let mut house = House::new(Options::default());
    let engine = house.open();
    house.save(&engine, 0..6);
    let made = make(&engine, &MakeBackup::full(house.backups()).parity(0));
    let whole = fs::read(&made.path).unwrap();
    let (mut all, mut lost) = (0, 0);
    for block in 0..made.blocks {
        spoil(&made.path, &made, block);
        let other = Options::default().on(memory());
        let how = RestoreSession::of(&made.path, "bot/2");
        match other.restore_session(&how, &mut go_on) {
            Ok(restored) => {
                all += 1;
                assert_eq!(restored.added.len(), 6, "{block}");
            }
            Err(error) => {
                lost += 1;
                assert_eq!(error.kind(), ErrorKind::Damaged, "{block}: {error}");
            }
        }
        fs::write(&made.path, &whole).unwrap();
    }
    assert!(all > 0 && lost > 0, "{all} {lost}");
}

fn cut(path: &Path, bytes: u64) {
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    let length = file.metadata().unwrap().len();
    file.set_len(length - bytes).unwrap();
}

fn restore(house: &House, from: &Path, name: &str) -> dalsegno::Result<dalsegno::RestoredBackup> {
    let into = house.folder.path().join(name);
    let how = RestoreBackup::of(from);
    house.options.clone().restore_backup(&how, into, &mut go_on)
}

#[test]
fn a_log_that_is_left_of_another_store_is_in_the_way() {
    let mut house = House::new(Options::default());
    let engine = house.open();
    house.save(&engine, 0..1);
    let made = make(&engine, &MakeBackup::full(house.backups()));
    for end in ["-wal", "-journal"] {
        let left = house.folder.path().join(format!("again.db{end}"));
        fs::write(&left, "what stood there").unwrap();
        let refused = restore(&house, &made.path, "again.db").unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Conflict);
        assert!(refused.to_string().contains(end), "{refused}");
        let into = house.folder.path().join("again.db");
        let how = RestoreBackup::of(&made.path);
        let plan = Options::default().restore_backup_plan(&how, &into, &mut go_on);
        assert_eq!(plan.unwrap_err().kind(), ErrorKind::Conflict);
        assert!(!into.exists() && left.exists());
        fs::remove_file(left).unwrap();
    }
    restore(&house, &made.path, "again.db").unwrap();
}

#[test]
fn a_backup_that_breaks_between_its_proof_and_its_use_is_not_restored() {
    let mut house = House::new(Options::default());
    let engine = house.open();
    house.save(&engine, 0..4);
    let made = make(&engine, &MakeBackup::full(house.backups()).parity(0));
    let whole = fs::read(&made.path).unwrap();
    let (mut refused, mut unharmed) = (0, 0);
    for block in 1..made.blocks {
        let into = house.folder.path().join(format!("{block}.db"));
        let mut broken = false;
        let how = RestoreBackup::of(&made.path);
        let restored = Options::default().restore_backup(&how, &into, &mut |progress| {
            if progress.step == BackupStep::Restoring && !broken {
                spoil(&made.path, &made, block);
                broken = true;
            }
            ControlFlow::Continue(())
        });
        match restored {
            Ok(_) => {
                unharmed += 1;
                all_there(&Engine::open(&into).unwrap(), &house.known);
            }
            Err(error) => {
                refused += 1;
                assert_eq!(error.kind(), ErrorKind::Damaged);
                assert!(!into.exists());
            }
        }
        fs::write(&made.path, &whole).unwrap();
    }
    assert!(refused > 0 && unharmed > 0, "{refused} {unharmed}");
}

#[test]
fn what_is_left_has_its_names_and_keys_and_nothing_that_was_erased() {
    for options in [
        Options::default(),
        Options::default().secret(Secret::generate().unwrap()),
    ] {
        let mut house = House::new(options);
        let engine = house.open();
        house.save(&engine, 0..2);
        let before = make(&engine, &MakeBackup::full(house.backups()).parity(0));
        engine.erase_session("bot/1").unwrap();
        make(&engine, &MakeBackup::full(house.backups()));
        let whole = fs::read(&before.path).unwrap();
        let mut names_lost = 0;
        for block in 0..before.blocks {
            spoil(&before.path, &before, block);
            let into = house.folder.path().join(format!("{block}.db"));
            let how = RestoreBackup::of(&before.path).salvage();
            let options = || house.options.clone();
            let restored = options().restore_backup(&how, &into, &mut go_on);
            fs::write(&before.path, &whole).unwrap();
            let restored = restored.unwrap();
            let again = options().open(&into).unwrap();
            assert_eq!(restored.erased, 1, "{block}");
            assert!(again.list(&Query::session("bot/1")).is_err(), "{block}");
            let others: Vec<Known> = house
                .known
                .iter()
                .filter(|it| it.snapshot.session != "bot/1")
                .cloned()
                .collect();
            let is_of = |what: &str| restored.lost.iter().any(|it| it.what.ends_with(what));
            if is_of("made of") {
                continue;
            }
            names_lost += usize::from(is_of("of sessions"));
            // Their names, labels and times may be lost with their rows, not what they were saved for.
            for Known { snapshot, text } in others {
                let id = snapshot.id.to_string();
                // Whether it was deleted, nobody can say where its row is lost.
                drop(again.undelete(&[&id]));
                let there = again.restore(&id).unwrap();
                assert_eq!(there.text(), text, "{block}");
                assert_eq!(there.snapshot().session, snapshot.session, "{block}");
            }
        }
        assert!(names_lost > 0);
    }
}

#[test]
fn later_backups_that_cannot_be_asked_are_named() {
    let mut house = House::new(Options::default());
    let engine = house.open();
    house.save(&engine, 0..2);
    let before = make(&engine, &MakeBackup::full(house.backups()));
    engine.erase_session("bot/1").unwrap();
    let later = make(&engine, &MakeBackup::full(house.backups()));
    // Its end is cut off, it has no block left, or it is something else.
    for (n, spoilt) in ["cut", "empty", "other"].into_iter().enumerate() {
        match spoilt {
            "cut" => cut(&later.path, later.bytes / 2),
            "empty" => fs::write(&later.path, "").unwrap(),
            _ => fs::write(&later.path, vec![7; 5000]).unwrap(),
        }
        let restored = restore(&house, &before.path, &format!("{n}.db")).unwrap();
        let unread: Vec<&PathBuf> = restored.unread.iter().map(|it| &it.path).collect();
        assert_eq!(unread, [&later.path], "{spoilt}");
        let how = RestoreSession::of(&before.path, "bot/1");
        let other = Options::default().on(memory());
        let one = other.restore_session(&how, &mut go_on).unwrap();
        assert_eq!(one.unread.len(), 1, "{spoilt}");
        // Of a folder nobody knows whether it is the newest.
        let folder = restore(&house, &house.backups(), "none.db").unwrap_err();
        assert_eq!(folder.kind(), ErrorKind::Damaged, "{spoilt}: {folder}");
        assert!(folder.to_string().contains(&*later.path.to_string_lossy()));
    }
}

#[test]
fn a_session_that_was_erased_twice_stays_away() {
    let mut house = House::new(Options::default());
    let engine = house.open();
    let folder = house.backups();
    let to = |name: &str| MakeBackup::full(folder.join(name));
    fs::create_dir(&folder).unwrap();
    house.save(&engine, 0..1);
    engine.erase_session("bot/1").unwrap();
    engine.save_json("bot/1", "[1]").commit().unwrap();
    let monday = make(&engine, &to("mon.dalsegno"));
    make(&engine, &to("tue.dalsegno"));
    // It had begun anew by then.
    let restored = restore(&house, &monday.path, "1.db").unwrap();
    assert_eq!((restored.erased, restored.unread.len()), (0, 0));
    engine.erase_session("bot/1").unwrap();
    make(&engine, &to("fri.dalsegno"));
    let restored = restore(&house, &monday.path, "2.db").unwrap();
    assert_eq!((restored.erased, restored.unread.len()), (1, 0));
    let how = RestoreSession::of(&monday.path, "bot/1");
    let refused = engine.restore_session(&how, &mut go_on).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Conflict);
}

#[test]
fn a_session_of_another_store_is_not_taken_for_ones_own() {
    let house = House::new(Options::default());
    let other = House::new(Options::default());
    for (store, text) in [(&other, "[1]"), (&house, "[2]")] {
        let engine = store.open();
        engine.save_json("main", text).commit().unwrap();
        make(&engine, &MakeBackup::full(house.backups()));
    }
    let engine = house.open();
    let how = RestoreSession::of(house.backups(), "main");
    for how in [how.clone(), how.at(jiff::Timestamp::UNIX_EPOCH)] {
        let refused = engine.restore_session(&how, &mut go_on).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Ambiguous);
    }
    assert_eq!(
        engine
            .list(&Query::session("main"))
            .unwrap()
            .snapshots
            .len(),
        1
    );
}

#[test]
fn what_was_begun_when_the_store_was_small_is_not_gone_on_with() {
    let house = House::new(Options::default());
    let engine = house.open();
    engine.save_json("bot/1", "[1]").commit().unwrap();
    let mut reading = 0;
    let how = MakeBackup::full(house.backups());
    let cancelled = engine.back_up(&how, &mut |progress| {
        reading += 1;
        match progress.step {
            BackupStep::Parity => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    });
    assert!(cancelled.is_err() && reading > 0);
    let mut random = StdRng::seed_from_u64(1);
    for _ in 0..40 {
        let mut bytes = vec![0; 600_000];
        random.fill_bytes(&mut bytes);
        let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        engine
            .save_json("bot/1", format!("[\"{text}\"]"))
            .commit()
            .unwrap();
    }
    let made = engine.back_up(&how, &mut go_on).unwrap();
    assert_eq!(made.found_bytes, 0);
    assert!(
        made.backup.bytes / u64::from(made.backup.blocks) > 1200,
        "{made:?}"
    );
    let left = dalsegno::list_backups(house.backups()).unwrap().unfinished;
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn backups_from_before_the_store_was_encrypted_are_of_use() {
    let mut house = House::new(Options::default());
    let engine = house.open();
    house.save(&engine, 0..2);
    let clear = make(&engine, &MakeBackup::full(house.backups()));
    engine.close().unwrap();
    let secret = Secret::generate().unwrap();
    Options::default()
        .encrypt(house.store(), &secret, None, &mut |_| {})
        .unwrap();
    let engine = Options::default()
        .secret(secret.clone())
        .open(house.store())
        .unwrap();
    let sealed = make(&engine, &MakeBackup::full(house.backups()));
    let verify = |secret: Option<&Secret>| verify_backup(house.backups(), secret, &mut go_on);
    assert!(verify(Some(&secret)).unwrap().is_whole());
    // What cannot be opened keeps nobody from proving the rest.
    for wrong in [None, Some(Secret::generate().unwrap())] {
        let check = verify(wrong.as_ref()).unwrap();
        let whole = |it: &Backup| {
            let one = check
                .archives
                .iter()
                .find(|one| one.path == it.path)
                .unwrap();
            (
                one.is_whole(),
                one.error.as_ref().map(dalsegno::Error::kind),
            )
        };
        assert_eq!(whole(&clear), (true, None));
        assert_eq!(whole(&sealed), (false, Some(ErrorKind::WrongKey)));
    }
    engine.save_json("bot/2", "[]").commit().unwrap();
    let how = RestoreSession::of(&clear.path, "bot/2").secret(secret);
    let restored = engine.restore_session(&how, &mut go_on).unwrap();
    assert_eq!(restored.present, 2);
}

#[test]
fn an_archive_without_its_parity_is_not_as_it_was() {
    let mut house = House::new(Options::default());
    let engine = house.open();
    house.save(&engine, 0..3);
    let made = make(&engine, &MakeBackup::full(house.backups()).parity(10));
    let block = made.bytes / u64::from(made.blocks);
    for more in 0..3 {
        let parity = made.parity_blocks + more;
        cut(
            &made.path,
            block * if more == 0 { u64::from(parity) } else { 1 },
        );
        let check = verify_backup(&made.path, None, &mut go_on).unwrap();
        let one = &check.archives[0];
        let health = one.health.unwrap();
        assert_eq!(
            (health.blocks, health.parity),
            (made.blocks, made.parity_blocks)
        );
        assert_eq!(health.damaged, parity);
        // What is lost beyond it is parity of the directory.
        assert!(one.is_whole());
    }
}

/// Also all of what says where everything is.
#[test]
fn any_stretch_that_is_as_long_as_the_parity_may_be_lost() {
    let mut house = House::new(Options::default());
    let engine = house.open();
    house.save(&engine, 0..30);
    for parity in [10, 25, 50] {
        let made = make(&engine, &MakeBackup::full(house.backups()).parity(parity));
        let lost = made.parity_blocks;
        assert!(
            lost >= 4 || parity == 10,
            "as many as the directory and its parity"
        );
        let whole = fs::read(&made.path).unwrap();
        for first in 0..=made.blocks - lost {
            (first..first + lost).for_each(|block| spoil(&made.path, &made, block));
            let check = verify_backup(&made.path, None, &mut go_on).unwrap();
            assert!(check.is_whole(), "{parity} %, from {first} on: {check:?}");
            let data = made.blocks - lost;
            if first == 0 || (data - lost..=data).contains(&first) {
                let copy = format!("{parity}-{first}.db");
                let how = RestoreBackup::of(&made.path);
                let into = house.folder.path().join(copy);
                let restored = Options::default().restore_backup(&how, &into, &mut go_on);
                assert!(restored.unwrap().verification.is_intact());
                all_there(&Engine::open(&into).unwrap(), &house.known);
            }
            fs::write(&made.path, &whole).unwrap();
        }
        fs::remove_file(&made.path).unwrap();
    }
}
