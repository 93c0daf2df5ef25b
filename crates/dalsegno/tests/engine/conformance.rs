//! Every store keeps the contract.

use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use dalsegno::clock::SystemClock;
use dalsegno::store::conformance::{Capabilities, run_all};
use dalsegno::store::faulty::FaultyStore;
use dalsegno::store::{MemoryStore, SqliteOptions, SqliteStore, Store};
use dalsegno::{Engine, Secret};

#[test]
fn memory() {
    let fresh = || Arc::new(MemoryStore::new(&SystemClock)) as Arc<dyn Store>;
    run_all(&fresh, Capabilities::default());
}

/// Through the store that injects faults, and injects none: it is no other store for that.
#[test]
fn faulty_without_faults() {
    let fresh = || {
        let inner = Arc::new(MemoryStore::new(&SystemClock));
        Arc::new(FaultyStore::new(inner, |_, _| None)) as Arc<dyn Store>
    };
    run_all(&fresh, Capabilities::default());
}

#[test]
fn sqlite() {
    in_files(&SqliteOptions::default());
}

/// What is sealed on its way in is as it was on its way out: an encrypted store is no other store.
#[test]
fn sqlite_encrypted() {
    in_files(&SqliteOptions {
        secret: Some(Secret::generate().unwrap()),
        ..SqliteOptions::default()
    });
}

fn in_files(options: &SqliteOptions) {
    let folder = tempfile::tempdir().unwrap();
    let made = Cell::new(0);
    let path = |n: i32| folder.path().join(format!("{n}.db"));
    let fresh = || {
        made.set(made.get() + 1);
        let store = SqliteStore::create(&path(made.get()), options, &SystemClock);
        Arc::new(store.unwrap()) as Arc<dyn Store>
    };
    let reopen = || {
        let path: &Path = &path(made.get());
        Arc::new(SqliteStore::open(path, options).unwrap()) as Arc<dyn Store>
    };
    let capabilities = Capabilities {
        reopen: Some(&reopen),
        shared: true,
    };
    run_all(&fresh, capabilities);
    assert!(made.get() > 20);
}

/// Whoever reads for long, perhaps in another program, does not hold up those who close the store.
#[test]
fn settling_does_not_wait_for_readers() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions::default();
    let path = folder.path().join("store.db");
    let engine = Engine::create(&path).unwrap();
    engine.save_json("s", "1").commit().unwrap();
    let reader = SqliteStore::open(&path, &options).unwrap();
    let view = reader.view().unwrap();
    let before = view.session("s").unwrap();
    engine.save_json("s", "2").commit().unwrap();
    let begin = Instant::now();
    engine.close().unwrap();
    assert!(begin.elapsed() < options.busy_timeout / 2);
    assert_eq!(view.session("s").unwrap(), before);
}
