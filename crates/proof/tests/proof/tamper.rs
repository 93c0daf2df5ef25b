//! Rows that are removed, changed or exchanged with a tool for databases: the file's structure is
//! sound, and the damage is found all the same.

use std::sync::Arc;

use dalsegno::clock::Clock;
use dalsegno::{Engine, ErrorKind, Purge, SnapshotId};
use dalsegno_faults::{Disk, PowerLoss};
use dalsegno_proof::truth::{Truth, Verdict};
use dalsegno_proof::{STORE, effort, on, state};
use jiff::{SignedDuration, Timestamp};
use rusqlite::types::Value;

use crate::evening::disk_with;
use crate::flips::small_store;

const TABLES: [(&str, &str); 4] = [
    ("store", "created_at"),
    ("session", "id"),
    ("snapshot", "seq"),
    ("record", "seq"),
];

/// Runs `sql` on a copy of the store and judges it.
fn after(bytes: &[u8], truth: &Truth, sql: &str) -> Verdict {
    let disk = disk_with(&[(STORE.to_owned(), bytes.to_vec())]);
    let database = disk.open(STORE).unwrap();
    let changed = database.execute(sql, ());
    assert!(changed.is_ok_and(|rows| rows > 0), "{sql}");
    let check: String = database
        .query_row("PRAGMA integrity_check", (), |row| row.get(0))
        .unwrap();
    assert_eq!(check, "ok", "{sql}");
    drop(database);
    let saved = truth.save_on_top(on(&disk.crash(PowerLoss::Kept)).open(STORE), true);
    saved.unwrap_or_else(|wrong| panic!("{sql}: {wrong}"));
    let verdict = truth.judge(on(&disk).open(STORE));
    verdict.unwrap_or_else(|wrong| panic!("{sql}: {wrong}"))
}

fn keys(disk: &Disk, table: &str, key: &str) -> Vec<i64> {
    let database = disk.open(STORE).unwrap();
    let sql = format!("SELECT {key} FROM {table} ORDER BY {key}");
    let mut statement = database.prepare(&sql).unwrap();
    let rows = statement.query_map((), |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

/// Where notes stand that need no others beside them.
fn notes(disk: &Disk) -> Vec<(i64, i64, i64)> {
    let database = disk.open(STORE).unwrap();
    let sql = "SELECT kind, session, id FROM note AS it WHERE NOT EXISTS
               (SELECT 1 FROM note WHERE (kind, session, id) = (it.kind, it.session, it.id - 1))";
    let mut statement = database.prepare(sql).unwrap();
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let rows = statement.query_map((), read).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn removed_rows_are_missed() {
    let (bytes, truth) = small_store();
    let disk = disk_with(&[(STORE.to_owned(), bytes.clone())]);
    for (table, key) in TABLES {
        let keys = keys(&disk, table, key);
        assert!(!keys.is_empty());
        for n in keys {
            let sql = format!("DELETE FROM {table} WHERE {key} = {n}");
            assert_ne!(after(&bytes, &truth, &sql), Verdict::Harmless, "{sql}");
        }
    }
}

/// Every column of every row, put to something else of its kind.
#[test]
fn changed_columns_are_noticed() {
    let (bytes, truth) = small_store();
    let disk = disk_with(&[(STORE.to_owned(), bytes.clone())]);
    let mut changed = 0;
    for (table, key) in TABLES {
        let database = disk.open(STORE).unwrap();
        let mut statement = database.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let mut found = statement.query(()).unwrap();
        let mut changes = Vec::new();
        while let Some(row) = found.next().unwrap() {
            let n: i64 = row.get(key).unwrap();
            for column in &columns {
                let put = match row.get(&**column).unwrap() {
                    Value::Null if column == "name" => "'other'".to_owned(),
                    Value::Null => "1".to_owned(),
                    Value::Text(_) => format!("{column} || 'x'"),
                    Value::Blob(bytes) if bytes.is_empty() => "x'01'".to_owned(),
                    Value::Blob(_) => format!("substr({column}, 1, length({column}) - 1)"),
                    Value::Integer(_) | Value::Real(_) => format!("{column} + 100000"),
                };
                changes.push(format!(
                    "UPDATE {table} SET {column} = {put} WHERE {key} = {n}"
                ));
            }
        }
        for sql in changes.iter().step_by(effort(13, 1)) {
            assert_ne!(after(&bytes, &truth, sql), Verdict::Harmless, "{sql}");
            changed += 1;
        }
    }
    assert!(changed > 30, "{changed}");
    let mut noted = 0;
    for (kind, session, id) in notes(&disk) {
        for change in [
            "kind = kind + 100",
            "session = session + 100000",
            "id = id - 1",
            "detail = substr(detail, 1, length(detail) - 1)",
            "checksum = zeroblob(16)",
        ] {
            let place = format!("kind = {kind} AND session = {session} AND id = {id}");
            let sql = format!("UPDATE note SET {change} WHERE {place}");
            noted += 1;
            if noted % effort(13, 1) == 0 {
                assert_ne!(after(&bytes, &truth, &sql), Verdict::Harmless, "{sql}");
            }
        }
    }
    assert!(noted > 40, "{noted}");
}

/// What two snapshots or two records say, the one in the place of the other.
#[test]
fn exchanged_rows_are_noticed() {
    let (bytes, truth) = small_store();
    let disk = disk_with(&[(STORE.to_owned(), bytes.clone())]);
    let columns = [
        (
            "snapshot",
            "session, created_at, kind, flags, size, stored, parent, state, epoch, detail, checksum",
        ),
        ("snapshot", "detail"),
        ("snapshot", "state"),
        ("record", "session, count, parent, data, checksum"),
        ("record", "data"),
    ];
    let mut exchanged = 0;
    for (table, columns) in columns {
        let keys = keys(&disk, table, "seq");
        for pair in keys.windows(3).step_by(effort(3, 1)) {
            let (to, from) = (pair[0], pair[2]);
            let sql = format!(
                "UPDATE {table} SET ({columns}) = (SELECT {columns} FROM {table} WHERE seq = {from})
                 WHERE seq = {to} AND ({columns}) IS NOT (SELECT {columns} FROM {table} WHERE seq = {from})"
            );
            let database = disk.open(STORE).unwrap();
            let same: bool = database
                .query_row(
                    &format!(
                        "SELECT (SELECT count(*) FROM (SELECT {columns} FROM {table} WHERE seq = {to}
                         INTERSECT SELECT {columns} FROM {table} WHERE seq = {from}))"
                    ),
                    (),
                    |row| row.get(0),
                )
                .unwrap();
            // Of two sessions, the names that they have may stand in the way.
            let taken = database
                .execute_batch(&format!("BEGIN; {sql}; ROLLBACK"))
                .is_err();
            drop(database);
            if !same && !taken {
                exchanged += 1;
                assert_ne!(after(&bytes, &truth, &sql), Verdict::Harmless, "{sql}");
            }
        }
    }
    assert!(exchanged > 25, "{exchanged}");
}

/// Stands still, so that two stores give the same numbers; they differ in their random ids alone.
pub(crate) struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap()
    }

    fn random(&self) -> [u8; 16] {
        rand::random()
    }
}

/// Whole rows of the same numbers, from another store: none is taken for its own.
#[test]
fn rows_of_another_store_are_noticed() {
    let made = [1, 2].map(|who| {
        let disk = Disk::new();
        let engine = on(&disk).clock(Arc::new(Still)).create(STORE).unwrap();
        for n in 0..3 {
            engine
                .save_json("s/0", state(who, n))
                .name(format!("n{n}"))
                .commit()
                .unwrap();
        }
        engine.close().unwrap();
        disk
    });
    let [here, there] = &made;
    let bytes = here.image(STORE).unwrap();
    let truth = Truth::of(&on(here).open(STORE).unwrap());
    for (table, key) in TABLES {
        let seqs = keys(here, table, key);
        assert_eq!(seqs, keys(there, table, key), "{table}");
        for n in seqs.into_iter().filter(|_| table != "store") {
            let row = row_as_sql(there, table, key, n);
            let sql = format!("REPLACE INTO {table} VALUES ({row})");
            if table == "session" {
                // It says the same in both.
                continue;
            }
            assert_ne!(after(&bytes, &truth, &sql), Verdict::Harmless, "{sql}");
        }
    }
}

fn row_as_sql(disk: &Disk, table: &str, key: &str, n: i64) -> String {
    let database = disk.open(STORE).unwrap();
    let mut statement = database
        .prepare(&format!("SELECT * FROM {table} WHERE {key} = {n}"))
        .unwrap();
    let columns = statement.column_count();
    let values = statement.query_row((), |row| {
        (0..columns)
            .map(|column| row.get(column))
            .collect::<rusqlite::Result<Vec<Value>>>()
    });
    let shown = values.unwrap().into_iter().map(|value| match value {
        Value::Null => "NULL".to_owned(),
        Value::Integer(n) => n.to_string(),
        Value::Real(n) => n.to_string(),
        Value::Text(text) => format!("'{text}'"),
        Value::Blob(bytes) => {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("x'{hex}'")
        }
    });
    shown.collect::<Vec<_>>().join(", ")
}

/// The oldest snapshot of a session has no record of its own, and its row is gone: deleting and purging do
/// not make that good as new.
#[test]
fn a_missing_oldest_snapshot_stays_missed() {
    let disk = Disk::new();
    let engine = on(&disk).create(STORE).unwrap();
    let save = |n| engine.save_json("s/0", state(0, n)).commit().unwrap();
    let (first, oldest, second) = (save(1), save(1), save(2));
    assert!(oldest.unchanged);
    engine.put_back(&oldest.id.to_string()).apply().unwrap();
    let delete =
        |engine: &Engine, id: SnapshotId| engine.delete(&[&id.to_string()], SignedDuration::ZERO);
    let purge = |engine: &Engine| engine.purge(&Purge::All(None), &mut |_| {});
    delete(&engine, first.id).unwrap();
    assert_eq!(purge(&engine).unwrap().snapshots, 1);
    save(3);
    let last = save(4);
    delete(&engine, last.id).unwrap();
    engine.close().unwrap();
    let database = disk.open(STORE).unwrap();
    let sql = "DELETE FROM snapshot WHERE seq = (SELECT min(seq) FROM snapshot)";
    assert_eq!(database.execute(sql, ()).unwrap(), 1);
    drop(database);
    let engine = on(&disk).open(STORE).unwrap();
    assert!(!engine.verify(None).unwrap().is_intact());
    let refused = delete(&engine, second.id).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Damaged, "{refused}");
    assert_eq!(purge(&engine).unwrap_err().kind(), ErrorKind::Damaged);
    assert!(!engine.verify(None).unwrap().is_intact());
}
