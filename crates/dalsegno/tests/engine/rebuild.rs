//! A store whose file is damaged at random pages is built anew from what can be read of it.

use std::os::unix::fs::FileExt;

use dalsegno::{Engine, ErrorKind, Options, SnapshotId};
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};

use crate::common::effort;
use crate::repair::{House, only_what_is_lost_is_damaged};

const PAGE: u64 = 4096;

/// Writes over some pages: with zeroes, with noise, or a few bytes of them.
pub(crate) fn damage(house: &House, rng: &mut StdRng) -> Vec<u64> {
    let file = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(&house.path)
        .unwrap();
    let pages = file.metadata().unwrap().len() / PAGE;
    let mut hit = Vec::new();
    for _ in 0..rng.random_range(1..6) {
        let page = rng.random_range(0..pages);
        hit.push(page);
        let at = page * PAGE;
        let mut bytes = vec![0; PAGE as usize];
        match rng.random_range(0..4) {
            0 => file.write_all_at(&bytes, at).unwrap(),
            1 => {
                rng.fill_bytes(&mut bytes);
                file.write_all_at(&bytes, at).unwrap();
            }
            _ => {
                for _ in 0..8 {
                    let byte = [rng.random::<u8>()];
                    file.write_all_at(&byte, at + rng.random_range(0..PAGE))
                        .unwrap();
                }
            }
        }
    }
    hit
}

fn trashed(engine: &Engine) -> Vec<SnapshotId> {
    engine
        .trash(None)
        .unwrap()
        .iter()
        .map(|it| it.snapshot.id)
        .collect()
}

fn rebuilt(sealed: bool, with_mirror: bool, seeds: std::ops::Range<u64>) {
    for seed in seeds {
        let mut rng = StdRng::seed_from_u64(seed);
        let house = House::new(sealed, &mut rng);
        let hit = damage(&house, &mut rng);
        let mirror = with_mirror.then(|| house.options().open(&house.mirror).unwrap());
        let sources: Vec<&Engine> = mirror.iter().collect();
        let built = match house.options().rebuild(&house.path, &sources) {
            Ok(built) => built,
            // The page with the store's id, or its keys, and no source has them.
            Err(error) if !with_mirror && error.kind() == ErrorKind::Damaged => continue,
            Err(error) if !with_mirror && sealed && error.kind() == ErrorKind::WrongKey => continue,
            Err(error) => panic!("seed {seed}: pages {hit:?}: {error}"),
        };
        assert!(built.kept.as_ref().unwrap().exists());
        let engine = house.open();
        let what = format!(
            "{seed}, pages {hit:?}, {:?}, {:?}",
            built.torn, built.damage
        );
        house.told_but_for_gaps(&engine, &built.repairs, &what);
        let (intact, trash) = (house.intact(&engine), trashed(&engine));
        if with_mirror {
            for id in &house.mirrored {
                let there = intact.contains(id) || trash.contains(id);
                let known = mirror
                    .as_ref()
                    .map(|it| it.info(&id.to_string()).map(|it| (it.session, it.same_as)));
                let here = engine.info(&id.to_string()).map(|it| it.repaired);
                assert!(
                    there,
                    "seed {what}: {id} is in the mirror: {known:?}, here {here:?}: {:#?}",
                    built.repairs
                );
            }
        }
        only_what_is_lost_is_damaged(&engine, &built.repairs, seed);
        engine.close().unwrap();
    }
}

#[test]
fn without_a_source() {
    rebuilt(false, false, 0..u64::from(effort(16, 1000)));
}

#[test]
fn with_a_mirror() {
    rebuilt(false, true, 5000..5000 + u64::from(effort(16, 1000)));
}

#[test]
fn sealed() {
    rebuilt(true, false, 10_000..10_000 + u64::from(effort(8, 500)));
}

#[test]
fn sealed_with_a_mirror() {
    rebuilt(true, true, 15_000..15_000 + u64::from(effort(8, 500)));
}

#[test]
fn the_first_page_alone_costs_nothing() {
    let house = House::new(false, &mut StdRng::seed_from_u64(3));
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(&house.path)
        .unwrap();
    file.write_all_at(&[0; PAGE as usize], 0).unwrap();
    drop(file);
    assert!(Engine::open(&house.path).is_err());
    let built = Options::default().rebuild(&house.path, &[]).unwrap();
    let engine = house.open();
    let trash = trashed(&engine);
    let intact = house.intact(&engine);
    let lost: Vec<_> = house
        .truth
        .keys()
        .filter(|id| !intact.contains(id) && !trash.contains(id))
        .collect();
    assert!(lost.is_empty(), "{lost:?} {built:#?}");
    assert!(built.repairs.is_nothing(), "{built:#?}");
    assert_eq!(
        built.broken,
        ["its header", "the definitions of its tables"]
    );
    engine.close().unwrap();
}

#[test]
fn of_a_file_that_was_cut_off_all_comes_from_a_source_and_the_rest_is_named() {
    for (sealed, pages) in [(false, 0), (true, 0), (false, 1), (false, 12)] {
        let house = House::new(sealed, &mut StdRng::seed_from_u64(7));
        let file = std::fs::OpenOptions::new()
            .write(true)
            .open(&house.path)
            .unwrap();
        file.set_len(pages * PAGE + 50).unwrap();
        // Where the first page is there, it leads nowhere.
        file.write_all_at(&[0; 50], 0).unwrap();
        file.write_all_at(&vec![0; (pages.min(1) * PAGE) as usize], 0)
            .unwrap();
        drop(file);
        if pages == 0 {
            let refused = house.options().rebuild(&house.path, &[]).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::Damaged, "{refused}");
        }
        let mirror = house.options().open(&house.mirror).unwrap();
        let built = house.options().rebuild(&house.path, &[&mirror]).unwrap();
        assert_eq!(built.torn.len(), 8, "{built:#?}");
        assert!(built.repairs.is_loss(), "{built:#?}");
        let said = |what: &str| built.repairs.rows.iter().any(|it| it.what.contains(what));
        assert!(said("sessions of which no row"), "{built:#?}");
        let engine = house.open();
        let (intact, trash) = (house.intact(&engine), trashed(&engine));
        for id in &house.mirrored {
            let there = intact.contains(id) || trash.contains(id);
            assert!(there, "{sealed} {pages}: {id}: {built:#?}");
        }
        engine.close().unwrap();
    }
}

#[test]
fn what_is_no_store_is_never_replaced_by_an_empty_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    let sql = "PRAGMA application_id=7; CREATE TABLE mine (n INTEGER); INSERT INTO mine VALUES (1)";
    connection.execute_batch(sql).unwrap();
    connection.close().unwrap();
    let (before, house) = (
        std::fs::read(&path).unwrap(),
        House::new(false, &mut StdRng::seed_from_u64(8)),
    );
    let mirror = house.open();
    for sources in [&[][..], &[&mirror]] {
        let refused = Options::default().rebuild(&path, sources).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidInput, "{refused}");
    }
    assert_eq!(std::fs::read(&path).unwrap(), before);
    let Err(opened) = Engine::open(&path) else {
        panic!("it was opened")
    };
    assert_eq!(opened.kind(), ErrorKind::InvalidInput, "{opened}");
}

#[test]
fn a_damaged_header_is_damage_and_the_way_out_is_named() {
    for (at, zeroes) in [(0, 100), (16, 2), (68, 4)] {
        let house = House::new(false, &mut StdRng::seed_from_u64(9));
        let file = std::fs::OpenOptions::new()
            .write(true)
            .open(&house.path)
            .unwrap();
        file.write_all_at(&vec![0; zeroes], at).unwrap();
        drop(file);
        let Err(refused) = Engine::open(&house.path) else {
            panic!("it was not refused")
        };
        assert_eq!(refused.kind(), ErrorKind::Damaged, "{at}: {refused}");
        assert!(refused.to_string().contains("repair --rebuild"));
        let built = Options::default().rebuild(&house.path, &[]).unwrap();
        assert_eq!(built.broken, ["its header"], "{at}");
        assert!(built.repairs.is_nothing() && built.torn.is_empty(), "{at}");
        house.open().close().unwrap();
    }
}

#[test]
fn a_store_that_somebody_has_open_is_refused() {
    let house = House::new(false, &mut StdRng::seed_from_u64(4));
    let engine = house.open();
    let refused = Options::default().rebuild(&house.path, &[]).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Locked, "{refused}");
    engine.save_json("bot/1", "1").commit().unwrap();
    engine.close().unwrap();
}

#[test]
fn a_rebuild_that_was_cut_off_is_finished_by_the_next() {
    let house = House::new(false, &mut StdRng::seed_from_u64(5));
    // As a kill leaves it between the two renamings: the old file is away, its log is not.
    let at = |end: &str| house.path.with_file_name(format!("store.db{end}"));
    std::fs::copy(&house.path, at(".rebuilt")).unwrap();
    std::fs::rename(&house.path, at(".damaged-20260101T000000.000000")).unwrap();
    std::fs::write(at("-wal"), "an old log").unwrap();
    for refused in [Engine::open(&house.path), Engine::create(&house.path)] {
        let Err(refused) = refused else {
            panic!("it was not refused")
        };
        assert_eq!(refused.kind(), ErrorKind::Damaged);
        assert!(
            refused.to_string().contains("repair --rebuild"),
            "{refused}"
        );
    }
    let plan = Options::default().rebuild_plan(&house.path, &[]).unwrap();
    assert!(plan.finished && plan.kept.is_none() && at(".rebuilt").exists());
    // What is damaged in what it had made is found.
    let connection = rusqlite::Connection::open(at(".rebuilt")).unwrap();
    let harm = "UPDATE record SET data = x'00' WHERE seq = (SELECT max(seq) FROM record)";
    assert_eq!(connection.execute(harm, ()).unwrap(), 1);
    connection.close().unwrap();
    let built = Options::default().rebuild(&house.path, &[]).unwrap();
    assert!(built.finished && !built.damage.is_empty());
    assert_eq!(
        std::fs::read(at(".damaged-20260101T000000.000000-wal")).unwrap(),
        b"an old log"
    );
    let engine = house.open();
    assert!(!at(".rebuilt").exists());
    engine.close().unwrap();
}

#[test]
fn what_was_deleted_for_good_does_not_come_back() {
    let mut house = House::new(false, &mut StdRng::seed_from_u64(6));
    let engine = house.open();
    let gone: Vec<SnapshotId> = house.truth.keys().take(60).copied().collect();
    let ids: Vec<String> = gone.iter().map(ToString::to_string).collect();
    for id in &ids {
        drop(engine.delete(&[id.as_str()], dalsegno::GRACE));
    }
    engine
        .purge(&dalsegno::Purge::All(None), &mut |_| {})
        .unwrap();
    let kept = house.intact(&engine);
    house.truth.retain(|id, _| kept.contains(id));
    assert!(gone.iter().all(|id| !kept.contains(id)));
    // A crash: free pages stay in the file.
    std::mem::forget(engine);
    let copy = house.path.with_file_name("copy.db");
    std::fs::copy(&house.path, &copy).unwrap();
    std::fs::copy(
        house.path.with_file_name("store.db-wal"),
        house.path.with_file_name("copy.db-wal"),
    )
    .unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(&copy).unwrap();
    file.write_all_at(&[0; 64], 100).unwrap();
    drop(file);
    let built = Options::default().rebuild(&copy, &[]).unwrap();
    let engine = Engine::open(&copy).unwrap();
    for id in &ids {
        assert!(engine.info(id).is_err(), "{id} was purged");
    }
    let (intact, trash) = (house.intact(&engine), trashed(&engine));
    let missing: Vec<_> = house
        .truth
        .keys()
        .filter(|id| !intact.contains(id) && !trash.contains(id))
        .collect();
    assert!(
        missing.is_empty(),
        "{missing:?} of {}: {built:#?}",
        house.truth.len()
    );
    engine.close().unwrap();
}
