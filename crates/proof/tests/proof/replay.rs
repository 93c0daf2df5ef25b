//! Rows that an encrypted store had before, put back by one who kept them: what is noticed, and what cannot be.
//!
//! Each row is sealed for its place, not for its time: an older version of it is as genuine as the newer one. What is
//! noticed is where rows no longer fit each other. Whoever puts a whole older file back is not noticed at all; who
//! needs that keeps the store's newest snapshot ids elsewhere.

use std::collections::HashMap;

use dalsegno::retention::{Policy, Rules};
use dalsegno::{Amendment, Back, Engine, GRACE, Purge, Query, Secret, SnapshotId};
use dalsegno_faults::Disk;
use dalsegno_proof::forge::{NOTE, RECORD, Row, SESSION, SLOT, SNAPSHOT, TABLES};
use dalsegno_proof::{STORE, effort, on, state};

use crate::evening::disk_with;

/// A store as it was, and as it is.
struct Twice {
    then: Vec<u8>,
    now: Vec<u8>,
    secret: Secret,
    removed: Secret,
    /// All that it ever gave out.
    texts: HashMap<SnapshotId, Vec<u8>>,
}

fn rename(name: &str) -> Amendment {
    Amendment::Name(Some(name.to_owned()))
}

const ERASED: &str = "s/9";

impl Twice {
    fn new() -> Self {
        let disk = Disk::new();
        let (secret, removed) = (Secret::generate().unwrap(), Secret::generate().unwrap());
        let engine = on(&disk).secret(secret.clone()).create(STORE).unwrap();
        let mut texts = HashMap::new();
        let mut save = |session: &str, who, n| {
            let saved = engine.save_json(session, state(who, n)).commit().unwrap();
            texts.insert(saved.id, state(who, n));
            saved.id.to_string()
        };
        engine.add_key(&removed, Some("a laptop")).unwrap();
        engine
            .set_policy(&Policy::new("s/*", Rules::new().keep_last(5)))
            .unwrap();
        let ids: Vec<String> = (0..70).map(|n| save("s/0", 0, n)).collect();
        for n in 0..12 {
            save("s/1", 1, n);
            save(ERASED, 3, n);
        }
        engine.delete(&[ids[3].as_str(), &ids[60]], GRACE).unwrap();
        engine.amend(&ids[40], &rename("before")).unwrap();
        engine.flush().unwrap();
        let then = Self::image(&disk);

        engine.undelete(&[ids[60].as_str()]).unwrap();
        engine.purge(&Purge::All(None), &mut |_| {}).unwrap();
        engine.amend(&ids[40], &rename("after")).unwrap();
        engine.pin(&ids[41], true).unwrap();
        engine.delete(&[ids[20].as_str(), &ids[21]], GRACE).unwrap();
        (70..150).for_each(|n| drop(save("s/0", 0, n)));
        let back = engine
            .rollback("s/1", &Back::Steps(3))
            .unwrap()
            .apply()
            .unwrap();
        texts.insert(back.head.unwrap().id, state(1, 8));
        engine
            .set_policy(&Policy::new("s/*", Rules::new().keep_last(9)))
            .unwrap();
        engine.remove_key(engine.key_of(&removed).unwrap()).unwrap();
        engine.erase_session(ERASED).unwrap();
        engine.close().unwrap();
        let now = Self::image(&disk);
        Self {
            then,
            now,
            secret,
            removed,
            texts,
        }
    }

    /// The store's file, with what stands in the log beside it.
    fn image(disk: &Disk) -> Vec<u8> {
        let folded = disk.open(STORE).unwrap();
        let done = folded.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |row| {
            row.get::<_, i64>(0)
        });
        assert_eq!(done, Ok(0));
        disk.image(STORE).unwrap()
    }

    fn with(&self, put: &[Row]) -> Disk {
        let disk = disk_with(&[(STORE.to_owned(), self.now.clone())]);
        let database = disk.open(STORE).unwrap();
        database.execute_batch("BEGIN").unwrap();
        for row in put {
            row.delete(&database);
        }
        let taken = put.iter().any(|row| row.insert(&database).is_err());
        assert!(!taken, "{put:?}");
        database.execute_batch("COMMIT").unwrap();
        disk
    }

    fn open(&self, disk: &Disk) -> Engine {
        on(disk).secret(self.secret.clone()).open(STORE).unwrap()
    }

    /// Whether the store is intact, it says. Whatever it gives out it had once, under that id.
    fn is_intact(&self, disk: &Disk, place: &str) -> bool {
        let engine = self.open(disk);
        let verified = engine.verify(None);
        for (id, text) in &self.texts {
            if let Ok(found) = engine.restore(&id.to_string()) {
                assert!(found.text() == text, "{place}: another text for {id}");
            }
        }
        let all = Query {
            limit: usize::MAX,
            ..Query::default()
        };
        if let Ok(page) = engine.list(&all) {
            let known = page
                .snapshots
                .iter()
                .all(|it| self.texts.contains_key(&it.id));
            assert!(known, "{place}: a snapshot that never was");
        }
        verified.is_ok_and(|found| found.is_intact())
    }

    /// The rows of then that are not as they were, or not there any more.
    fn older(&self) -> Vec<Row> {
        let rows = |bytes: &[u8]| -> Vec<Row> {
            let disk = disk_with(&[(STORE.to_owned(), bytes.to_vec())]);
            let database = disk.open(STORE).unwrap();
            let tables = TABLES.into_iter();
            tables
                .flat_map(|table| Row::all(&database, table))
                .collect()
        };
        let now = rows(&self.now);
        let mut then = rows(&self.then);
        then.retain(|row| !now.contains(row));
        then
    }
}

/// Of each table how many older rows there are, and how many of them are noticed, put back one by one.
#[test]
fn each_older_row() {
    let twice = Twice::new();
    assert!(twice.is_intact(&twice.with(&[]), "as it is"));
    let older = twice.older();
    let mut tally: HashMap<&str, (usize, usize)> = HashMap::new();
    for (n, row) in older.iter().enumerate() {
        let few = [&SESSION, &NOTE].contains(&row.table);
        if !few && n % effort(5, 1) != 0 {
            continue;
        }
        let place = format!("{} {:?}", row.table.name, row.key());
        let intact = twice.is_intact(&twice.with(std::slice::from_ref(row)), &place);
        let (tried, noticed) = tally.entry(row.table.name).or_default();
        *tried += 1;
        *noticed += usize::from(!intact);
        println!(
            "{place}: {}",
            if intact { "not noticed" } else { "noticed" }
        );
    }
    println!("{tally:?}");
    // A session's row that leads to an older snapshot: those after it have nothing that leads to them.
    let (tried, noticed) = tally["session"];
    assert!(tried >= 2 && tried == noticed, "{tally:?}");
}

/// A snapshot's row as it was before it was renamed is genuine: it is as if nobody had renamed it.
#[test]
fn an_older_name_is_not_noticed() {
    let twice = Twice::new();
    let named = |disk: &Disk| {
        let engine = twice.open(disk);
        ["before", "after"].map(|name| engine.info(&format!("s/0@{name}")).is_ok())
    };
    assert_eq!(named(&twice.with(&[])), [false, true]);
    let older = twice.older();
    let is_named = |row: &&Row| row.table == &SNAPSHOT && !row.blob("name").is_empty();
    let renamed = older.iter().find(is_named);
    let disk = twice.with(std::slice::from_ref(renamed.unwrap()));
    assert!(twice.is_intact(&disk, "an older name"));
    assert_eq!(named(&disk), [true, false]);
}

/// Whoever kept the slot of a key that was taken away, and can write to the file, can have it open the store again.
#[test]
fn a_slot_that_was_removed_is_genuine() {
    let twice = Twice::new();
    let opens = |disk: &Disk| on(disk).secret(twice.removed.clone()).open(STORE).is_ok();
    assert!(!opens(&twice.with(&[])));
    let older = twice.older().into_iter();
    let slot = older.filter(|row| row.table == &NOTE && row.int("kind") == SLOT);
    let slot: Vec<Row> = slot.collect();
    assert_eq!(slot.len(), 1);
    assert!(opens(&twice.with(&slot)));
}

/// All rows of a session that was erased are genuine too. Its tombstone says that it should not be there.
#[test]
fn an_erased_session_that_is_put_back_has_its_tombstone() {
    let twice = Twice::new();
    let older = twice.older();
    let engine = on(&disk_with(&[(STORE.to_owned(), twice.then.clone())]))
        .secret(twice.secret.clone())
        .open(STORE)
        .unwrap();
    let head = engine.info(&format!("{ERASED}@latest")).unwrap();
    let sessions = older.iter().filter(|row| row.table == &SESSION);
    // It was the last one that began.
    let session = sessions.map(|row| row.int("id")).max().unwrap();
    let its = older.iter().filter(|row| match row.table {
        table if *table == SESSION => row.int("id") == session,
        table if [&SNAPSHOT, &RECORD].contains(&table) => row.int("session") == session,
        _ => false,
    });
    let its: Vec<Row> = its.cloned().collect();
    assert!(its.len() > 10, "{}", its.len());
    let disk = twice.with(&its);
    assert!(twice.is_intact(&disk, "an erased session"));
    let engine = twice.open(&disk);
    assert_eq!(engine.info(&format!("{ERASED}@latest")).unwrap(), head);
    assert!(engine.is_erased(ERASED).unwrap());
    // Without the row that has its key, nothing of it can be read.
    let its: Vec<Row> = its
        .into_iter()
        .filter(|row| row.table != &SESSION)
        .collect();
    let disk = twice.with(&its);
    assert!(!twice.is_intact(&disk, "an erased session without its key"));
    assert!(twice.open(&disk).restore(&head.id.to_string()).is_err());
}

/// A whole older file is what the store once was, and nothing in it can say otherwise.
#[test]
fn a_whole_older_file_is_not_noticed() {
    let twice = Twice::new();
    let disk = disk_with(&[(STORE.to_owned(), twice.then.clone())]);
    assert!(twice.is_intact(&disk, "an older file"));
    assert!(!twice.open(&disk).is_erased(ERASED).unwrap());
}
