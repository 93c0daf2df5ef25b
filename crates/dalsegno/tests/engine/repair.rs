//! What is damaged comes back, or is marked, or is named; what is not damaged stays as it is.

use std::collections::BTreeMap;
use std::path::PathBuf;

use dalsegno::{Engine, ErrorKind, How, Options, Repair, Repairs, RowOutcome, Secret, SnapshotId};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rusqlite::Connection;

use crate::common::{effort, state};

/// A store with a mirror that was taken some saves before.
pub(crate) struct House {
    _folder: tempfile::TempDir,
    pub(crate) path: PathBuf,
    pub(crate) mirror: PathBuf,
    secret: Option<Secret>,
    /// What was saved, by id.
    pub(crate) truth: BTreeMap<SnapshotId, Vec<u8>>,
    /// Those that were deleted since.
    deleted: Vec<SnapshotId>,
    /// Those that the mirror has.
    pub(crate) mirrored: Vec<SnapshotId>,
}

impl House {
    pub(crate) fn new(sealed: bool, rng: &mut StdRng) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let mut house = Self {
            path: path.clone(),
            mirror: folder.path().join("mirror.db"),
            _folder: folder,
            secret: sealed.then(|| Secret::generate().unwrap()),
            truth: BTreeMap::new(),
            deleted: Vec::new(),
            mirrored: Vec::new(),
        };
        house.options().create(&path).unwrap().close().unwrap();
        house.save(0..40, rng);
        std::fs::copy(&house.path, &house.mirror).unwrap();
        house.mirrored = house.truth.keys().copied().collect();
        house.save(40..60, rng);
        house
    }

    pub(crate) fn options(&self) -> Options {
        match &self.secret {
            Some(secret) => Options::default().secret(secret.clone()),
            None => Options::default(),
        }
    }

    pub(crate) fn open(&self) -> Engine {
        self.options().open(&self.path).unwrap()
    }

    fn save(&mut self, numbers: std::ops::Range<usize>, rng: &mut StdRng) {
        let engine = self.open();
        for n in numbers {
            for session in ["bot/1", "bot/2", "chat/3"] {
                let text = match rng.random_range(0..8) {
                    0 => state(n / 2),
                    _ => state(n),
                };
                let mut save = engine.save_json(session, text.clone()).tag("kept");
                if n % 7 == 0 {
                    save = save.name(format!("n{n}"));
                }
                self.truth.insert(save.commit().unwrap().id, text);
            }
            if n % 20 == 19 {
                engine
                    .rollback("bot/1", &dalsegno::Back::Steps(2))
                    .unwrap()
                    .apply()
                    .unwrap();
                let latest = engine.restore("bot/1@latest").unwrap();
                self.truth
                    .insert(latest.snapshot().id, latest.text().to_vec());
                let deleted = engine.delete(&["bot/2@-3"], dalsegno::GRACE).unwrap();
                self.deleted.extend(deleted.iter().map(|it| it.id));
            }
        }
        engine.close().unwrap();
    }

    fn sql(&self, work: impl FnOnce(&Connection)) {
        let connection = Connection::open(&self.path).unwrap();
        work(&connection);
    }

    /// Which of what was saved can be had.
    pub(crate) fn intact(&self, engine: &Engine) -> Vec<SnapshotId> {
        let whole = self
            .truth
            .iter()
            .filter(|(id, text)| self.text(engine, **id).as_ref() == Some(*text));
        whole.map(|(id, _)| *id).collect()
    }

    fn text(&self, engine: &Engine, id: SnapshotId) -> Option<Vec<u8>> {
        if let Ok(restored) = engine.restore(&id.to_string()) {
            return Some(restored.into_text());
        }
        None
    }

    /// As [`told`](Self::told), where rows may be gone without a trace: then the stretch is named that they were of, or the
    /// session's name is lost.
    pub(crate) fn told_but_for_gaps(&self, engine: &Engine, repairs: &Repairs, what: &str) {
        let trash = engine.trash(None).unwrap();
        let lost = repairs.lost();
        for (id, text) in &self.truth {
            if trash.iter().any(|it| it.snapshot.id == *id) || lost.contains(id) {
                continue;
            }
            let restored = engine.restore(&id.to_string());
            let Ok(restored) = &restored else {
                let within = |gap: &dalsegno::Gap| {
                    gap.after.is_none_or(|after| after < *id)
                        && gap.before.is_none_or(|before| *id < before)
                };
                // Of the trash, nothing leads from one to another.
                let in_trash = repairs
                    .rows
                    .iter()
                    .any(|it| it.what.contains("the table trash"));
                if in_trash && self.deleted.contains(id) {
                    continue;
                }
                let named = repairs.sessions.iter().flat_map(|it| &it.gaps).any(within);
                assert!(
                    named,
                    "seed {what}: {id} is lost, and not named: {restored:?} {repairs:#?}"
                );
                continue;
            };
            let mark = restored.snapshot().repaired.as_ref();
            if mark.is_none_or(|mark| !mark.lost_state) {
                assert_eq!(restored.text(), &text[..], "seed {what}: {id}");
            }
        }
    }

    /// That each snapshot is as it was saved, or marked, or named as lost.
    pub(crate) fn told(&self, engine: &Engine, repairs: &Repairs, seed: u64) {
        let trash: Vec<SnapshotId> = engine
            .trash(None)
            .unwrap()
            .iter()
            .map(|it| it.snapshot.id)
            .collect();
        let lost = repairs.lost();
        for (id, text) in &self.truth {
            if trash.contains(id) || lost.contains(id) {
                continue;
            }
            let restored = engine.restore(&id.to_string());
            let restored =
                restored.unwrap_or_else(|e| panic!("seed {seed}: {id}: {e}: {repairs:#?}"));
            let marked = restored
                .snapshot()
                .repaired
                .as_ref()
                .is_some_and(|it| it.lost_state);
            if marked {
                let how = repairs.sessions.iter().flat_map(|it| &it.snapshots);
                let mut how = how.filter(|it| it.snapshot == *id).map(|it| &it.how);
                assert!(
                    how.next_back()
                        .is_some_and(|how| matches!(how, How::Salvaged { .. })),
                    "seed {seed}"
                );
                let text = restored.text();
                assert!(
                    self.truth.values().any(|it| it == text),
                    "seed {seed}: {id} is made up"
                );
            } else {
                assert_eq!(restored.text(), &text[..], "seed {seed}: {id}");
            }
        }
    }
}

/// Damages some rows, each in one of the ways that a checksum finds.
fn damage(connection: &Connection, rng: &mut StdRng) {
    let seqs = |table: &str| -> Vec<i64> {
        let mut find = connection
            .prepare(&format!("SELECT rowid FROM {table}"))
            .unwrap();
        let found = find.query_map((), |row| row.get(0)).unwrap();
        found.collect::<Result<_, _>>().unwrap()
    };
    for _ in 0..rng.random_range(1..6) {
        let (table, change) = *[
            ("snapshot", "detail = zeroblob(30)"),
            ("snapshot", "checksum = x'00'"),
            ("snapshot", "parent = parent + 1"),
            ("snapshot", "session = 77"),
            ("record", "data = zeroblob(40)"),
            ("record", "checksum = randomblob(16)"),
            ("record", "parent = 5"),
            ("record", ""),
            ("snapshot", ""),
            ("trash", "detail = x'00'"),
            ("session", "head = head - 4"),
            ("session", "era = 9"),
            ("session", "checksum = x''"),
            ("operation", "detail = x'01'"),
        ]
        .choose(rng)
        .unwrap();
        let rows = seqs(table);
        let Some(row) = rows.choose(rng) else {
            continue;
        };
        let sql = match change {
            "" => format!("DELETE FROM {table} WHERE rowid = {row}"),
            _ => format!("UPDATE {table} SET {change} WHERE rowid = {row}"),
        };
        connection.execute(&sql, ()).unwrap();
    }
}

/// Rows stay damaged only of sessions that have nothing that is intact.
pub(crate) fn only_what_is_lost_is_damaged(engine: &Engine, repairs: &Repairs, seed: u64) {
    let (found, lost) = (engine.verify(None).unwrap(), repairs.lost());
    for damage in &found.damage {
        let named = damage.snapshots.iter().all(|id| lost.contains(id));
        // A row of which nobody can say what it was is left, and named.
        let left = repairs
            .rows
            .iter()
            .any(|row| row.outcome == RowOutcome::Left);
        let known = left || !damage.snapshots.is_empty();
        assert!(named && known, "seed {seed}: {damage:#?} {repairs:#?}");
    }
}

fn without_a_source(sealed: bool) {
    for seed in 0..u64::from(effort(6, 400)) {
        let mut rng = StdRng::seed_from_u64(seed);
        let house = House::new(sealed, &mut rng);
        house.sql(|connection| damage(connection, &mut rng));
        let engine = house.open();
        let before = house.intact(&engine);
        let plan = engine.repair_plan(&Repair::default()).unwrap();
        let repairs = engine.repair(&Repair::default()).unwrap();
        assert_eq!(plan.lost(), repairs.lost(), "seed {seed}");
        house.told(&engine, &repairs, seed);
        let after = house.intact(&engine);
        let gone: Vec<_> = before.iter().filter(|id| !after.contains(id)).collect();
        assert!(gone.is_empty(), "seed {seed}: {gone:?} were intact before");
        only_what_is_lost_is_damaged(&engine, &repairs, seed);
        let again = engine.repair(&Repair::default()).unwrap();
        assert_eq!(
            (again.back(), again.marked()),
            (0, 0),
            "seed {seed}: {again:#?}"
        );
        assert!(again.lost().iter().all(|id| repairs.lost().contains(id)));
        engine.close().unwrap();
    }
}

#[test]
fn without_a_source_the_intact_stays_and_the_rest_is_marked_or_named() {
    without_a_source(false);
}

#[test]
fn sealed_rows_are_repaired_alike() {
    without_a_source(true);
}

fn with_a_mirror(sealed: bool) {
    for seed in 1000..1000 + u64::from(effort(6, 400)) {
        let mut rng = StdRng::seed_from_u64(seed);
        let house = House::new(sealed, &mut rng);
        house.sql(|connection| damage(connection, &mut rng));
        let engine = house.open();
        let mirror = house.options().open(&house.mirror).unwrap();
        // Whether the repair without it came first makes no difference.
        if seed % 3 == 0 && !sealed {
            let first = engine.repair(&Repair::default()).unwrap();
            assert!(!first.is_nothing());
        }
        let trash: Vec<SnapshotId> = engine
            .trash(None)
            .map(|it| it.iter().map(|it| it.snapshot.id).collect())
            .unwrap_or_default();
        let repairs = engine.repair(&Repair::default().from(&mirror)).unwrap();
        if seed % 3 != 0 || sealed {
            house.told(&engine, &repairs, seed);
        }
        let after = house.intact(&engine);
        let in_trash: Vec<SnapshotId> = engine
            .trash(None)
            .unwrap()
            .iter()
            .map(|it| it.snapshot.id)
            .collect();
        for id in &house.mirrored {
            let there = after.contains(id) || in_trash.contains(id);
            assert!(
                there || seed % 3 == 0,
                "seed {seed}: {id} is in the mirror: {repairs:#?}"
            );
        }
        for id in trash {
            assert!(in_trash.contains(&id), "seed {seed}: {id} was deleted");
        }
        only_what_is_lost_is_damaged(&engine, &repairs, seed);
        engine.close().unwrap();
    }
}

#[test]
fn with_a_mirror_what_it_has_is_back() {
    with_a_mirror(false);
}

#[test]
fn with_a_sealed_mirror_too() {
    with_a_mirror(true);
}

#[test]
fn a_source_that_is_another_store_is_refused() {
    let mut rng = StdRng::seed_from_u64(1);
    let house = House::new(false, &mut rng);
    let other = tempfile::tempdir().unwrap();
    let other = Engine::create(other.path().join("store.db")).unwrap();
    let engine = house.open();
    let refused = engine.repair(&Repair::default().from(&other)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidInput);
    assert!(refused.to_string().contains("store.db"), "{refused}");
}

#[test]
fn a_session_that_a_program_has_open_is_left_and_named() {
    let mut rng = StdRng::seed_from_u64(2);
    let house = House::new(false, &mut rng);
    let bot = house.open();
    bot.open_session("bot/1").unwrap();
    house.sql(|connection| {
        connection
            .execute("UPDATE record SET data = x'00'", ())
            .unwrap();
    });
    let engine = house.open();
    let repairs = engine.repair(&Repair::default()).unwrap();
    let of = |name: &str| {
        repairs
            .sessions
            .iter()
            .find(|it| it.session == name)
            .unwrap()
            .clone()
    };
    assert!(of("bot/1").held.is_some());
    assert!(of("bot/2").held.is_none());
    assert!(!of("bot/2").lost.is_empty());
    drop(bot);
}

#[test]
fn what_is_lost_between_equal_neighbours_is_found_by_its_checksum() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let engine = Engine::create(&path).unwrap();
    let texts = [
        r#"{"volume":1,"queue":[1,2]}"#,
        r#"{"volume":2,"queue":[1,2]}"#,
        r#"{"volume":2,"queue":[1,2,3]}"#,
    ];
    let ids: Vec<_> = texts
        .iter()
        .map(|text| engine.save_json("s", *text).commit().unwrap().id)
        .collect();
    engine.close().unwrap();
    let spoil = |nth: usize| {
        let connection = Connection::open(&path).unwrap();
        let sql = format!(
            "UPDATE record SET data = x'00' WHERE seq = (SELECT seq FROM snapshot ORDER BY seq LIMIT 1 OFFSET {nth})"
        );
        assert_eq!(connection.execute(&sql, ()).unwrap(), 1);
    };
    spoil(1);
    let engine = Engine::open(&path).unwrap();
    let repairs = engine.repair(&Repair::default()).unwrap();
    // The third builds on the second, so that no neighbour after it is left.
    let salvaged = &repairs.sessions[0].snapshots;
    assert_eq!(salvaged.len(), 2, "{repairs:#?}");
    for (id, text) in ids.iter().zip(texts).skip(1) {
        let restored = engine.restore(&id.to_string()).unwrap();
        let mark = restored.snapshot().repaired.clone().unwrap();
        assert!(mark.lost_state && !mark.lost_metadata);
        assert_eq!(restored.text(), texts[0].as_bytes());
        assert_eq!(mark.components.len(), 2);
        assert_eq!(mark.components[0].from, ids[0]);
        assert!(mark.lost_checksum.is_some(), "{text}");
    }
    engine.close().unwrap();
}

#[test]
fn what_builds_on_a_state_that_is_found_again_is_there_also_where_a_row_between_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let engine = Engine::create(&path).unwrap();
    let tracks = "\"a track of the night\",".repeat(40);
    let queue = |n: usize| format!("{{\"n\":{n},\"queue\":[{tracks}{n}]}}");
    let save = |n: usize| engine.save_json("s", queue(n)).commit().unwrap().id;
    let ids = [save(1), save(2), save(3), save(4)];
    let back = dalsegno::Back::To(ids[0].to_string());
    engine.rollback("s", &back).unwrap().apply().unwrap();
    // The second state once more, on top of the first.
    save(2);
    engine.close().unwrap();
    let connection = Connection::open(&path).unwrap();
    let seq = |nth: usize| format!("(SELECT seq FROM snapshot ORDER BY seq LIMIT 1 OFFSET {nth})");
    let spoil = format!("UPDATE record SET data = x'00' WHERE seq = {}", seq(1));
    assert_eq!(connection.execute(&spoil, ()).unwrap(), 1);
    let lose = format!("DELETE FROM snapshot WHERE seq = {}", seq(2));
    assert_eq!(connection.execute(&lose, ()).unwrap(), 1);
    drop(connection);
    let engine = Engine::open(&path).unwrap();
    let repairs = engine.repair(&Repair::default()).unwrap();
    for (n, id) in (1..).zip(ids) {
        let restored = engine.restore(&id.to_string()).unwrap();
        assert_eq!(restored.text(), queue(n).as_bytes(), "{repairs:#?}");
        let mark = restored.snapshot().repaired.as_ref();
        assert_eq!(mark.map(|it| it.lost_state), (n == 3).then_some(false));
    }
    assert!(engine.verify(None).unwrap().is_intact());
    engine.close().unwrap();
}

/// A copy of a store of one session with so many states, each built on the one before.
fn copied(states: usize) -> (tempfile::TempDir, Vec<SnapshotId>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let engine = Engine::create(&path).unwrap();
    let save = |n: usize| engine.save_json("s", long(n)).commit().unwrap().id;
    let ids = (0..states).map(save).collect();
    engine.close().unwrap();
    std::fs::copy(&path, folder.path().join("copy.db")).unwrap();
    (folder, ids)
}

fn long(n: usize) -> String {
    let tracks = "\"a track of the night\",".repeat(40);
    format!("{{\"n\":{n},\"queue\":[{tracks}{n}]}}")
}

fn spoil_record(path: &std::path::Path, nth: usize) {
    let connection = Connection::open(path).unwrap();
    let sql = format!(
        "UPDATE record SET data = x'00' WHERE seq = (SELECT seq FROM snapshot ORDER BY seq LIMIT 1 OFFSET {nth})"
    );
    assert_eq!(connection.execute(&sql, ()).unwrap(), 1);
}

#[test]
fn what_is_back_because_something_that_it_is_built_on_is_back_is_counted() {
    let (folder, ids) = copied(6);
    let (path, copy) = (
        folder.path().join("store.db"),
        folder.path().join("copy.db"),
    );
    spoil_record(&path, 1);
    let engine = Engine::open(&path).unwrap();
    let lost: usize = engine
        .verify(None)
        .unwrap()
        .damage
        .iter()
        .map(|it| it.snapshots.len())
        .sum();
    assert_eq!(lost, 5);
    let copy = Engine::open(&copy).unwrap();
    let repairs = engine.repair(&Repair::default().from(&copy)).unwrap();
    assert_eq!(repairs.back(), lost, "{repairs:#?}");
    assert!(engine.verify(None).unwrap().is_intact());
    for (n, id) in ids.iter().enumerate() {
        let restored = engine.restore(&id.to_string()).unwrap();
        assert_eq!(restored.text(), long(n).as_bytes());
    }
    engine.close().unwrap();
}

#[test]
fn what_was_saved_on_a_marked_state_stays_when_that_is_back() {
    let (folder, ids) = copied(3);
    let (path, copy) = (
        folder.path().join("store.db"),
        folder.path().join("copy.db"),
    );
    spoil_record(&path, 2);
    let engine = Engine::open(&path).unwrap();
    let marked = engine.repair(&Repair::default()).unwrap();
    assert_eq!(marked.marked(), 1, "{marked:#?}");
    // A save on top of it, and a rollback to it: both are what they are.
    let on_top = engine.save_json("s", long(7)).commit().unwrap().id;
    let back = dalsegno::Back::To(ids[2].to_string());
    engine.rollback("s", &back).unwrap().apply().unwrap();
    let rolled = engine.restore("s@latest").unwrap();
    let (rolled, text) = (rolled.snapshot().clone(), rolled.text().to_vec());
    assert_eq!(text, long(1).as_bytes());
    let copy = Engine::open(&copy).unwrap();
    let repairs = engine.repair(&Repair::default().from(&copy)).unwrap();
    for (id, text, mark) in [
        (ids[2], long(2).into_bytes(), None),
        (on_top, long(7).into_bytes(), None),
        (rolled.id, text, rolled.repaired),
    ] {
        let restored = engine.restore(&id.to_string()).unwrap();
        assert_eq!(restored.text(), text, "{id}: {repairs:#?}");
        assert_eq!(restored.snapshot().repaired, mark, "{id}: {repairs:#?}");
    }
    // The one that could not be had as it was saved, and no other.
    assert_eq!((repairs.back(), repairs.marked()), (1, 0), "{repairs:#?}");
    assert!(engine.verify(None).unwrap().is_intact());
    let again = engine.repair(&Repair::default().from(&copy)).unwrap();
    assert!(again.is_nothing(), "{again:#?}");
    engine.close().unwrap();
}

#[test]
fn where_nobody_can_say_what_was_erased_nobody_says_that_it_was_not() {
    let (folder, _) = copied(2);
    let path = folder.path().join("store.db");
    let engine = Engine::open(&path).unwrap();
    engine.save_json("other", "1").commit().unwrap();
    engine.erase_session("s").unwrap();
    engine.close().unwrap();
    let copy = folder.path().join("later.db");
    std::fs::copy(&path, &copy).unwrap();
    for harm in [
        "UPDATE note SET detail = x'00' WHERE kind = 13",
        "DELETE FROM note WHERE kind = 13",
    ] {
        std::fs::copy(&copy, &path).unwrap();
        let connection = Connection::open(&path).unwrap();
        assert_eq!(connection.execute(harm, ()).unwrap(), 1);
        connection.close().unwrap();
        let engine = Engine::open(&path).unwrap();
        let asked = engine.is_erased("s").unwrap_err();
        assert_eq!(asked.kind(), ErrorKind::Damaged, "{asked}");
        // With another key what was erased would be forgotten.
        let erased = engine.erase_session("other").unwrap_err();
        assert_eq!(erased.kind(), ErrorKind::Damaged, "{erased}");
        engine.close().unwrap();
    }
}
