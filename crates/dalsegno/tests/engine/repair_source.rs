//! What a repair takes from backups, and what it leaves of what they do not have.

use std::fs;
use std::ops::ControlFlow;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use dalsegno::{
    Engine, ErrorKind, MakeBackup, Options, Repair, RepairSource, Repairs, Secret, SnapshotId,
};
use rusqlite::Connection;

use crate::common::state;

/// A store with a backup that was made in the middle.
struct House {
    folder: tempfile::TempDir,
    options: Options,
    archive: PathBuf,
    /// What was saved, before the backup and since.
    before: Vec<(SnapshotId, Vec<u8>)>,
    since: Vec<(SnapshotId, Vec<u8>)>,
}

impl House {
    fn new(sealed: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = match sealed {
            true => Options::default().secret(Secret::generate().unwrap()),
            false => Options::default(),
        };
        let engine = options.clone().create(folder.path().join("store.db"));
        let engine = engine.unwrap();
        let save = |n: usize| {
            let text = state(n);
            let saved = engine.save_json("bot/1", text.clone()).commit();
            (saved.unwrap().id, text)
        };
        let before = (0..4).map(save).collect();
        let backups = folder.path().join("backups");
        let made = engine.back_up(&MakeBackup::full(&backups), &mut |_| {
            ControlFlow::Continue(())
        });
        let archive = made.unwrap().backup.path;
        let since = (4..8).map(save).collect();
        engine.close().unwrap();
        Self {
            folder,
            options,
            archive,
            before,
            since,
        }
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join("store.db")
    }

    fn open(&self) -> Engine {
        self.options.clone().open(self.store()).unwrap()
    }

    fn source(&self, from: &Path) -> dalsegno::Result<RepairSource> {
        let options = self.options.clone();
        options.open_source(from, self.store(), &mut |_| ControlFlow::Continue(()))
    }

    fn spoil(&self, sql: &str) {
        let connection = Connection::open(self.store()).unwrap();
        assert!(connection.execute(sql, ()).unwrap() > 0);
    }

    fn repaired(&self) -> (Engine, Repairs) {
        let engine = self.open();
        let source = self.source(&self.archive).unwrap();
        let repairs = engine.repair(&Repair::default().from(&source)).unwrap();
        assert!(engine.verify(None).unwrap().is_intact(), "{repairs:#?}");
        (engine, repairs)
    }

    /// Folders that backups are unpacked into.
    fn scratch(&self) -> Vec<PathBuf> {
        let there = fs::read_dir(self.folder.path()).unwrap();
        let there = there.map(|it| it.unwrap().path());
        there
            .filter(|it| it.to_string_lossy().contains(".store.db.source-"))
            .collect()
    }
}

fn are_there(engine: &Engine, saved: &[(SnapshotId, Vec<u8>)], repairs: &Repairs) {
    for (id, text) in saved {
        let restored = engine.restore(&id.to_string());
        let restored = restored.unwrap_or_else(|e| panic!("{id}: {e}: {repairs:#?}"));
        assert_eq!(restored.text(), &text[..], "{repairs:#?}");
        assert!(restored.snapshot().repaired.is_none(), "{repairs:#?}");
    }
}

#[test]
fn a_key_that_opens_its_records_is_never_replaced_by_that_of_a_backup() {
    for harm in [
        "head = head + 1",
        "checksum = zeroblob(16)",
        "era = era + 1",
    ] {
        let house = House::new(true);
        house.spoil(&format!("UPDATE session SET {harm}"));
        let (engine, repairs) = house.repaired();
        assert!(repairs.lost().is_empty(), "{repairs:#?}");
        are_there(&engine, &house.before, &repairs);
        are_there(&engine, &house.since, &repairs);
        engine.save_json("bot/1", "[]").commit().unwrap();
        engine.close().unwrap();
    }
}

#[test]
fn where_the_key_is_lost_a_backup_gives_what_it_has_under_a_new_one() {
    for harm in ["key = zeroblob(length(key))", "key = x''"] {
        let house = House::new(true);
        house.spoil(&format!("UPDATE session SET {harm}"));
        let (engine, repairs) = house.repaired();
        are_there(&engine, &house.before, &repairs);
        for (id, _) in &house.since {
            let info = engine.info(&id.to_string());
            let marked = info.is_ok_and(|it| it.repaired.is_some_and(|it| it.lost_state));
            assert!(marked || repairs.lost().contains(id), "{id}: {repairs:#?}");
        }
        let saved = engine.save_json("bot/1", "[1]").commit().unwrap();
        engine.close().unwrap();
        let engine = house.open();
        let id = saved.id.to_string();
        assert_eq!(engine.restore(&id).unwrap().text(), b"[1]");
        engine.close().unwrap();
    }
}

#[test]
fn where_the_key_is_lost_a_copy_has_it_and_what_stood_after_the_copy_too() {
    let house = House::new(true);
    let copy = house.folder.path().join("copy.db");
    fs::copy(house.store(), &copy).unwrap();
    let engine = house.open();
    let text = state(9);
    let last = engine.save_json("bot/1", text.clone()).commit().unwrap();
    engine.close().unwrap();
    house.spoil("UPDATE session SET key = zeroblob(length(key))");
    let newest = "seq = (SELECT max(seq) FROM snapshot)";
    house.spoil(&format!(
        "UPDATE snapshot SET detail = x'00' WHERE {newest}"
    ));
    let engine = house.open();
    let source = house.source(&copy).unwrap();
    let repairs = engine.repair(&Repair::default().from(&source)).unwrap();
    are_there(&engine, &house.before, &repairs);
    are_there(&engine, &house.since, &repairs);
    // Its row is lost, its state is not.
    let kept = engine.restore(&last.id.to_string()).unwrap();
    assert_eq!(kept.text(), &text[..], "{repairs:#?}");
    engine.close().unwrap();
}

#[test]
fn a_source_is_unpacked_beside_the_store_for_its_owner_and_called_as_it_was_given() {
    let house = House::new(false);
    // As a program leaves it that was killed.
    let left = house.folder.path().join(".store.db.source-left");
    fs::create_dir(&left).unwrap();
    fs::write(left.join("store.db"), "rows").unwrap();
    house.spoil("UPDATE record SET data = x'00'");
    let first = house.source(&house.archive).unwrap();
    let second = house.source(&house.archive).unwrap();
    let scratch = house.scratch();
    assert_eq!(scratch.len(), 2, "{scratch:?}");
    for folder in &scratch {
        let there = fs::metadata(folder).unwrap();
        assert_eq!(there.permissions().mode() & 0o777, 0o700);
        assert_eq!(there.uid(), fs::metadata(house.store()).unwrap().uid());
    }
    assert!(scratch.iter().any(|it| Some(&**it) == first.scratch()));
    drop(second);
    let engine = house.open();
    let repairs = engine.repair(&Repair::default().from(&first)).unwrap();
    let said = format!("{repairs:?}");
    let archive = format!("{:?}", house.archive.display().to_string());
    assert!(
        said.contains(&archive) && !said.contains("source-"),
        "{said}"
    );
    engine.close().unwrap();
    drop(first);
    assert!(house.scratch().is_empty());
}

#[test]
fn a_backup_is_known_by_what_is_in_it() {
    let house = House::new(false);
    let renamed = house.folder.path().join("x.bak");
    fs::copy(&house.archive, &renamed).unwrap();
    let source = house.source(&renamed).unwrap();
    assert!(source.scratch().is_some());
    let copy = house.folder.path().join("store.bak");
    fs::copy(house.store(), &copy).unwrap();
    assert!(house.source(&copy).unwrap().scratch().is_none());
    fs::write(&copy, "neither").unwrap();
    let Err(refused) = house.source(&copy) else {
        panic!("it was not refused")
    };
    assert_eq!(refused.kind(), ErrorKind::InvalidInput);
}
