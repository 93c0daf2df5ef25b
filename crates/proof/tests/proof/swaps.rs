//! Rows of an encrypted store that are exchanged or forged with a tool for databases, by one who has no key. The file's
//! structure is sound, the checksums are what can be had without a key, and it is found out all the same.

use std::sync::Arc;

use dalsegno::Secret;
use dalsegno_faults::Disk;
use dalsegno_proof::forge::{
    NOTE, POLICY, RECORD, Row, SESSION, SNAPSHOT, TABLES, TRASH, store_id,
};
use dalsegno_proof::truth::{Truth, Verdict};
use dalsegno_proof::{STORE, effort, on, state};
use rusqlite::Connection;
use rusqlite::types::Value;

use crate::evening::disk_with;
use crate::sealed_flips::Sealed;
use crate::tamper::Still;

/// Which checksum a row gets that says something else.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Sum {
    /// That of the place.
    Left,
    /// That of what it says now.
    Along,
    /// The one that a store in clear would compute.
    InClear,
    /// As much as can be computed without a key.
    OverAll,
}

pub(crate) const SUMS: [Sum; 4] = [Sum::Left, Sum::Along, Sum::InClear, Sum::OverAll];

pub(crate) fn copy(bytes: &[u8]) -> Disk {
    disk_with(&[(STORE.to_owned(), bytes.to_vec())])
}

fn whole(database: &Connection, place: &str) {
    let check = database.query_row("PRAGMA integrity_check", (), |row| row.get::<_, String>(0));
    assert_eq!(check.unwrap(), "ok", "{place}");
}

/// Puts these in the places of rows of the same keys; false where a name is taken.
pub(crate) fn put(database: &Connection, rows: &[Row]) -> bool {
    database.execute_batch("BEGIN").unwrap();
    rows.iter().for_each(|row| row.delete(database));
    let taken = rows.iter().any(|row| row.insert(database).is_err());
    let end = if taken { "ROLLBACK" } else { "COMMIT" };
    database.execute_batch(end).unwrap();
    !taken
}

/// What `rows` replaces is noticed; whether it can be put there at all.
fn is_noticed(sealed: &Sealed, rows: &[Row], place: &str) -> bool {
    let disk = copy(&sealed.bytes);
    let database = disk.open(STORE).unwrap();
    let can_be = put(&database, rows);
    whole(&database, place);
    drop(database);
    if can_be {
        let saved = sealed.truth.save_on_top(sealed.open(&copy_of(&disk)), true);
        saved.unwrap_or_else(|wrong| panic!("{place}: {wrong}"));
        assert_ne!(sealed.judge(&disk, place), Verdict::Harmless, "{place}");
    }
    can_be
}

fn copy_of(disk: &Disk) -> Disk {
    copy(&disk.image(STORE).unwrap())
}

/// Both rows, each saying in these columns what the other said.
pub(crate) fn exchanged(pair: [&Row; 2], columns: &[&str], sum: Sum, store: &[u8]) -> [Row; 2] {
    [(pair[0], pair[1]), (pair[1], pair[0])].map(|(row, other)| {
        let mut row = row.clone();
        for column in columns {
            row.set(column, other.get(column).clone());
        }
        match sum {
            Sum::Left => row,
            Sum::Along => {
                row.set("checksum", other.get("checksum").clone());
                row
            }
            Sum::InClear => row.summed(store),
            Sum::OverAll => row.summed_over_all(store),
        }
    })
}

/// Of each table, neighbours and those with one between them: within a session and of two. What they say, each column of
/// it, and all but their keys.
#[test]
fn exchanged_rows_are_noticed() {
    let sealed = Sealed::small();
    let database = copy(&sealed.bytes).open(STORE).unwrap();
    let store = store_id(&database);
    let mut tried = 0;
    for table in TABLES {
        let rows = Row::all(&database, table);
        // Of guards there is one.
        assert!(rows.len() > 1, "{}", table.name);
        let near = rows.windows(2).map(|pair| [&pair[0], &pair[1]]);
        let far = rows.windows(3).map(|three| [&three[0], &three[2]]);
        let mut done = 0;
        for pair in near.chain(far) {
            let each = table.content.iter().map(|column| vec![*column]);
            let all = [table.content.to_vec(), table.but_key()];
            for columns in each.chain(all) {
                for sum in SUMS {
                    let put = exchanged(pair, &columns, sum, &store);
                    let same = put.iter().zip(pair).all(|(put, was)| put == was);
                    done += 1;
                    let few = rows.len() < 8;
                    let every = if few { effort(5, 1) } else { effort(149, 1) };
                    if same || done % every != 0 {
                        continue;
                    }
                    let keys = pair.map(Row::key);
                    let place = format!("{} {keys:?}: {columns:?}, {sum:?}", table.name);
                    tried += usize::from(is_noticed(&sealed, &put, &place));
                }
            }
        }
    }
    println!("{tried} exchanges");
    assert!(tried > 30, "{tried}");
}

/// All rows of two sessions, in each other's session; their names and keys where they are, or along.
#[test]
fn sessions_in_each_others_place_are_noticed() {
    let sealed = Sealed::small();
    let database = copy(&sealed.bytes).open(STORE).unwrap();
    let store = store_id(&database);
    let sessions = Row::all(&database, &SESSION);
    let tables = TABLES.iter().filter(|it| it.but_key().contains(&"session"));
    let rows: Vec<Row> = tables.flat_map(|it| Row::all(&database, it)).collect();
    let mut tried = 0;
    for pair in sessions.windows(2).step_by(effort(3, 1)) {
        let ids = [pair[0].int("id"), pair[1].int("id")];
        let other = |id: i64| match ids {
            [a, b] if id == a => Some(b),
            [a, b] if id == b => Some(a),
            _ => None,
        };
        let moved = rows.iter().filter_map(|row| {
            let mut row = row.clone();
            row.set("session", Value::Integer(other(row.int("session"))?));
            Some(row)
        });
        let moved: Vec<Row> = moved.collect();
        let along = [
            vec![],
            vec!["key"],
            vec!["name"],
            vec!["name", "key"],
            SESSION.but_key(),
        ];
        for columns in along {
            for sum in SUMS {
                let heads = exchanged([&pair[0], &pair[1]], &columns, sum, &store);
                let mut put: Vec<Row> = moved.clone();
                if sum == Sum::InClear || sum == Sum::OverAll {
                    put = put.into_iter().map(|row| row.summed(&store)).collect();
                }
                put.extend(heads);
                let place = format!("sessions {ids:?}: {columns:?}, {sum:?}");
                tried += usize::from(is_noticed(&sealed, &put, &place));
            }
        }
    }
    assert!(tried > 20, "{tried}");
}

/// What the same store said in clear, row by row, each with the checksum that it had.
#[test]
fn rows_in_clear_are_noticed() {
    let sealed = Sealed::small();
    let clear = copy(&sealed.clear).open(STORE).unwrap();
    let now = copy(&sealed.bytes).open(STORE).unwrap();
    assert_eq!(store_id(&clear), store_id(&now));
    let mut tried = 0;
    for table in TABLES {
        let rows = Row::all(&clear, table);
        let step = rows.len().div_ceil(effort(2, usize::MAX));
        for row in rows.iter().step_by(step.max(1)) {
            let place = format!("{} {:?} in clear", table.name, row.key());
            tried += usize::from(is_noticed(&sealed, std::slice::from_ref(row), &place));
        }
        let place = format!("all of {} in clear", table.name);
        tried += usize::from(is_noticed(&sealed, &rows, &place));
    }
    // One that was never there, with a text of somebody else's.
    let records = Row::all(&clear, &RECORD);
    let snapshots = Row::all(&clear, &SNAPSHOT);
    let (last, record) = (snapshots.last().unwrap(), records.last().unwrap());
    let seq = Value::Integer(last.int("seq") + 4096);
    let store = store_id(&now);
    let new = [last, record].map(|row| {
        let mut row = row.clone();
        row.set("seq", seq.clone());
        row.summed(&store)
    });
    tried += usize::from(is_noticed(&sealed, &new, "a new snapshot in clear"));
    let mut policy = Row::all(&clear, &POLICY)[0].clone();
    policy.set("id", Value::Integer(99));
    policy.set("pattern", Value::Text("forged/*".to_owned()));
    tried += usize::from(is_noticed(
        &sealed,
        &[policy.summed(&store)],
        "a new policy",
    ));
    let notes = Row::all(&clear, &NOTE).into_iter();
    for mut note in notes.filter(|it| it.int("session") == 0) {
        note.set("id", Value::Integer(note.int("id") ^ (1 << 40)));
        let place = format!("a new note {:?}", note.key());
        tried += usize::from(is_noticed(&sealed, &[note.summed(&store)], &place));
    }
    println!("{tried} rows");
    assert!(tried > 20, "{tried}");
}

/// Whole rows of the same numbers, from another store that the same secret opens.
#[test]
fn rows_of_another_store_of_the_same_secret_are_noticed() {
    let secret = Secret::generate().unwrap();
    let options = |disk: &Disk| on(disk).secret(secret.clone()).clock(Arc::new(Still));
    let made = [1, 2].map(|who| {
        let disk = Disk::new();
        let engine = options(&disk).create(STORE).unwrap();
        for n in 0..5 {
            let save = engine.save_json("s/0", state(who, n));
            save.name(format!("n{n}")).commit().unwrap();
        }
        engine.delete(&["s/0@n2"], dalsegno::GRACE).unwrap();
        engine.close().unwrap();
        disk
    });
    let [here, there] = &made;
    let bytes = here.image(STORE).unwrap();
    let sealed = Sealed {
        clear: Vec::new(),
        truth: Truth::of(&options(here).open(STORE).unwrap()),
        secret: secret.clone(),
        bytes,
    };
    let (ours, theirs) = (
        copy_of(here).open(STORE).unwrap(),
        copy_of(there).open(STORE).unwrap(),
    );
    let mut tried = 0;
    let mut all = Vec::new();
    for table in TABLES {
        let rows = Row::all(&theirs, table);
        for row in rows {
            for row in [row.clone(), row.clone().summed(&store_id(&ours))] {
                let place = format!("{} {:?} of another store", table.name, row.key());
                tried += usize::from(is_noticed(&sealed, &[row], &place));
            }
            all.push(row);
        }
    }
    assert!(is_noticed(&sealed, &all, "all rows of another store"));
    assert!(tried > 20, "{tried}");
    assert!(Row::all(&ours, &TRASH).len() == 1);
}
