//! The audit log of a store that was repaired, or built anew: what was written there is proved as before, and what is lost of it
//! is never passed over.

use std::os::unix::fs::FileExt;

use dalsegno::{Action, AuditHead, AuditQuery, Engine, Repair, RowOutcome};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rusqlite::Connection;

use crate::common::{effort, state};
use crate::rebuild;
use crate::repair::House;

/// The kind of the notes that are rows of the log.
const AUDIT: i64 = 11;

/// A store with a log, the head of it that was kept, and a mirror of all of it.
fn audited(sealed: bool, seed: u64) -> (House, AuditHead) {
    let house = House::new(sealed, &mut StdRng::seed_from_u64(seed));
    let engine = house.open();
    engine.audit_on().unwrap();
    for n in 60..70 {
        engine.save_json("bot/1", state(n)).commit().unwrap();
    }
    let head = engine.audit_head().unwrap();
    engine.close().unwrap();
    std::fs::copy(&house.path, &house.mirror).unwrap();
    (house, head)
}

fn spoil(house: &House, sql: &str) {
    let connection = Connection::open(&house.path).unwrap();
    connection.execute_batch(sql).unwrap();
    connection.close().unwrap();
}

/// A record and a snapshot's row.
const ROWS: &str = "
    UPDATE record SET data = zeroblob(40) WHERE seq = (SELECT max(seq) FROM record);
    UPDATE snapshot SET detail = zeroblob(30) WHERE seq = (SELECT min(seq) FROM snapshot);";

fn last_row_of_the_log() -> String {
    format!(
        "UPDATE note SET detail = x'00' WHERE kind = {AUDIT} AND id = \
         (SELECT max(id) FROM note WHERE kind = {AUDIT});"
    )
}

/// That the log is whole up to its end, with the head that was kept in it; also after what is done next.
fn is_proved(engine: &Engine, head: &AuditHead, what: &str) {
    let found = engine.audit_check(Some(head)).unwrap();
    assert!(found.is_whole() && found.compared, "{what}: {found:#?}");
    engine.save_json("bot/1", "[]").commit().unwrap();
    let next = engine.audit_check(Some(head)).unwrap();
    assert!(next.is_whole(), "{what}: {next:#?}");
    assert_eq!(next.rows, found.rows + 1, "{what}");
}

#[test]
fn a_repair_is_added_to_the_log_which_is_proved_as_before() {
    for (sealed, mirrored) in [(false, false), (false, true), (true, false), (true, true)] {
        let (house, head) = audited(sealed, 1);
        spoil(&house, ROWS);
        let mirror = mirrored.then(|| house.options().open(&house.mirror).unwrap());
        let engine = house.open();
        let repair = mirror.iter().fold(Repair::default(), Repair::from);
        let repairs = engine.repair(&repair).unwrap();
        assert!(repairs.back() + repairs.marked() > 0, "{repairs:#?}");
        let log = engine.audit_log(&AuditQuery::default()).unwrap();
        let said = log.entries.iter().filter(|it| it.action == Action::Repair);
        assert!(said.count() > 0, "{log:#?}");
        is_proved(&engine, &head, &format!("{sealed} {mirrored}"));
        engine.close().unwrap();
    }
}

#[test]
fn the_last_row_of_the_log_comes_back_before_the_repair_is_added_to_it() {
    for sealed in [false, true] {
        let (house, head) = audited(sealed, 2);
        spoil(&house, &(ROWS.to_owned() + &last_row_of_the_log()));
        let mirror = house.options().open(&house.mirror).unwrap();
        let engine = house.open();
        assert!(!engine.audit_check(Some(&head)).unwrap().is_whole());
        let repairs = engine.repair(&Repair::default().from(&mirror)).unwrap();
        assert!(repairs.back() > 0, "{repairs:#?}");
        is_proved(&engine, &head, &format!("{sealed} {repairs:#?}"));
        engine.close().unwrap();
    }
}

#[test]
fn a_row_of_the_log_that_nobody_has_is_never_passed_over() {
    let (house, head) = audited(false, 3);
    spoil(&house, &(ROWS.to_owned() + &last_row_of_the_log()));
    let engine = house.open();
    let repairs = engine.repair(&Repair::default()).unwrap();
    assert!(
        repairs
            .rows
            .iter()
            .any(|row| row.outcome == RowOutcome::Left),
        "{repairs:#?}"
    );
    for kept in [None, Some(&head)] {
        let broken = engine.audit_check(kept).unwrap().broken.unwrap();
        assert_eq!(broken.number, head.number());
    }
    engine.close().unwrap();
}

#[test]
fn a_store_that_was_built_anew_has_its_log() {
    for sealed in [false, true] {
        let (house, head) = audited(sealed, 4);
        let file = std::fs::OpenOptions::new()
            .write(true)
            .open(&house.path)
            .unwrap();
        file.write_all_at(&[0; 4096], 0).unwrap();
        drop(file);
        let mirror = sealed.then(|| house.options().open(&house.mirror).unwrap());
        let sources: Vec<&Engine> = mirror.iter().collect();
        house.options().rebuild(&house.path, &sources).unwrap();
        let engine = house.open();
        is_proved(&engine, &head, &format!("{sealed}"));
        engine.close().unwrap();
    }
}

#[test]
fn of_any_pages_that_are_damaged_a_mirror_gives_the_log_back() {
    for seed in 0..u64::from(effort(12, 400)) {
        let mut rng = StdRng::seed_from_u64(20_000 + seed);
        let (house, head) = audited(seed % 3 == 0, seed);
        let hit = rebuild::damage(&house, &mut rng);
        let mirror = house.options().open(&house.mirror).unwrap();
        let built = house.options().rebuild(&house.path, &[&mirror]).unwrap();
        let engine = house.open();
        is_proved(
            &engine,
            &head,
            &format!("{seed}, pages {hit:?}: {built:#?}"),
        );
        engine.close().unwrap();
    }
}

#[test]
fn of_any_pages_that_are_damaged_what_is_lost_of_the_log_is_told() {
    for seed in 0..u64::from(effort(12, 400)) {
        let mut rng = StdRng::seed_from_u64(30_000 + seed);
        let (house, head) = audited(false, seed);
        let hit = rebuild::damage(&house, &mut rng);
        let Ok(built) = house.options().rebuild(&house.path, &[]) else {
            continue;
        };
        let engine = house.open();
        let found = engine.audit_check(Some(&head)).unwrap();
        let told = !built.repairs.rows.is_empty();
        assert!(
            found.is_whole() || told,
            "{seed}, pages {hit:?}: {found:#?} {built:#?}"
        );
        engine.close().unwrap();
    }
}
